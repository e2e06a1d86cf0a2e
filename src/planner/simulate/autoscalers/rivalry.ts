/** Our rule beside each of the others: sums over all traces, and the traces on which the sum does not tell the truth. */
import type { Score } from "./trial.ts";

/** A criterion by name: also the field of the score. */
export type CriterionName = "violationSeconds" | "taskSeconds" | "changes";

/** How one number is judged. */
export interface Criterion {
  readonly label: string;
  readonly promise: "fewer" | "no more";
  readonly wins: (ours: number, theirs: number) => boolean;
}

/** What is compared, and what counts as won. */
export const CRITERIA: Readonly<Record<CriterionName, Criterion>> = {
  violationSeconds: {
    label: "seconds out of the objective",
    promise: "fewer",
    // Where neither breaks it there is nothing to win.
    wins: (ours, theirs) => ours < theirs || (ours === 0 && theirs === 0),
  },
  taskSeconds: { label: "task-seconds", promise: "no more", wins: (ours, theirs) => ours <= theirs },
  changes: { label: "changes", promise: "fewer", wins: (ours, theirs) => ours < theirs },
};

/** All criteria, in the order in which they matter. */
export const CRITERION_NAMES: readonly CriterionName[] = ["violationSeconds", "taskSeconds", "changes"];

/** One criterion against one rival. */
export interface Comparison {
  readonly rival: string;
  readonly criterion: CriterionName;
  /** Sums over the traces. */
  readonly ours: number;
  readonly theirs: number;
  /** By the sums. */
  readonly won: boolean;
  /** Traces on which it is not. */
  readonly lostOn: readonly Loss[];
}

/** One trace on which a criterion is lost. */
export interface Loss {
  readonly trace: string;
  readonly ours: number;
  readonly theirs: number;
}

/** Every criterion against every rival. The first autoscaler of each trace is ours. */
export function compare(scores: readonly Score[]): Comparison[] {
  const ours = scores[0]?.autoscaler;
  const rivals = [...new Set(scores.map(({ autoscaler }) => autoscaler))].filter((name) => name !== ours);
  return rivals.flatMap((rival) =>
    CRITERION_NAMES.map((criterion) => compareOne(pairsOf(scores, ours, rival, criterion), rival, criterion)),
  );
}

function pairsOf(
  scores: readonly Score[],
  ours: string | undefined,
  rival: string,
  criterion: CriterionName,
): Loss[] {
  return scores
    .filter(({ autoscaler }) => autoscaler === ours)
    .flatMap((own) => {
      const other = scores.find(({ trace, autoscaler }) => trace === own.trace && autoscaler === rival);
      return other === undefined
        ? []
        : [{ trace: own.trace, ours: own[criterion], theirs: other[criterion] }];
    });
}

function compareOne(pairs: readonly Loss[], rival: string, criterion: CriterionName): Comparison {
  const { wins } = CRITERIA[criterion];
  const ours = pairs.reduce((sum, pair) => sum + pair.ours, 0);
  const theirs = pairs.reduce((sum, pair) => sum + pair.theirs, 0);
  const lostOn = pairs.filter((pair) => !wins(pair.ours, pair.theirs));
  return { rival, criterion, ours, theirs, won: wins(ours, theirs), lostOn };
}

/** "on sine (24314 against 23857)", or nothing. */
export function describeLosses({ lostOn }: Comparison): string {
  const each = lostOn.map(({ trace, ours, theirs }) => `${trace} (${ours} against ${theirs})`);
  return each.length === 0 ? "" : `on ${each.join(", ")}`;
}
