/** The comparison of autoscalers as a report: who broke the objective for how long, at what cost, how restlessly. */
import { type Figure, figure } from "../../report/figure.ts";
import type { Plot, Report, Section, Table } from "../../report/report.ts";
import { formatNumber } from "../../report/unit.ts";
import { TRACE_MINUTES, TRACES, type Trace } from "../traces.ts";
import { CRITERIA, CRITERION_NAMES, type CriterionName, compare, describeLosses } from "./rivalry.ts";
import { REPORTED, runTrace, type Score, type TrialSettings } from "./trial.ts";

/** Every autoscaler on every trace, by default on the reported set. About two seconds of CPU per trace. */
export function runTraces(
  settings: TrialSettings = REPORTED,
  traces: readonly Trace[] = TRACES,
): readonly Score[] {
  return traces.flatMap((trace) => runTrace(trace, settings));
}

/** The report; runs all trials unless it is given their scores. */
export function autoscaleReport(scores: readonly Score[] = runTraces()): Report {
  return {
    title: `Autoscalers on ${new Set(scores.map(({ trace }) => trace)).size} traces of ${TRACE_MINUTES} min`,
    answer: answerOf(scores),
    sections: [totalsTable(scores), tracesTable(scores), ...plots(scores), lossNotes(scores), MODELS],
  };
}

function answerOf(scores: readonly Score[]): string[] {
  const comparisons = compare(scores);
  const rivals = [...new Set(comparisons.map(({ rival }) => rival))];
  return rivals.map((rival) => {
    const parts = comparisons
      .filter((comparison) => comparison.rival === rival)
      .map(({ criterion, ours, theirs }) => {
        return `${formatNumber(ours, "count")} ${CRITERIA[criterion].label} against ${formatNumber(theirs, "count")}`;
      });
    return `Beside ${rival}: ${parts.join(", ")}.`;
  });
}

const COLUMNS = [
  { title: "Autoscaler" },
  { title: "Out of objective", align: "right" },
  { title: "Task-seconds", align: "right" },
  { title: "Changes", align: "right" },
  { title: "Turns", align: "right" },
] as const;

const FORMULAS: Readonly<Record<CriterionName | "turns", string>> = {
  violationSeconds: "seconds in which the p99 or the share of errors broke the objective",
  taskSeconds: "tasks that exist, starting and draining ones included, summed over the seconds",
  changes: "times that the number of wanted tasks changed",
  turns: "changes in the other direction than the one before",
};

const FIELDS = [...CRITERION_NAMES, "turns"] as const;

function figuresOf(score: Score, scope: string): Figure[] {
  return FIELDS.map((field) =>
    figure({
      key: camelCase(`${scope} ${score.autoscaler} ${field}`),
      label: `${scope}, ${score.autoscaler}: ${field === "turns" ? field : CRITERIA[field].label}`,
      value: score[field],
      unit: "count",
      formula: FORMULAS[field],
      source: "simulated",
    }),
  );
}

function camelCase(text: string): string {
  const [first = "", ...rest] = text.split(/[^A-Za-z]+/).filter((word) => word !== "");
  return [first.toLowerCase(), ...rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join("");
}

function totalsTable(scores: readonly Score[]): Table {
  const names = [...new Set(scores.map(({ autoscaler }) => autoscaler))];
  const totals = names.map((name) =>
    scores.filter(({ autoscaler }) => autoscaler === name).reduce((sum, score) => added(sum, score)),
  );
  return {
    kind: "table",
    title: "All traces together",
    columns: COLUMNS,
    rows: totals.map((total) => [total.autoscaler, ...figuresOf(total, "all")]),
  };
}

function added(a: Score, b: Score): Score {
  const sums = Object.fromEntries(FIELDS.map((field) => [field, a[field] + b[field]]));
  return { ...a, ...sums };
}

function tracesTable(scores: readonly Score[]): Table {
  return {
    kind: "table",
    title: "Trace by trace",
    columns: [{ title: "Trace" }, ...COLUMNS],
    rows: scores.map((score) => [score.trace, score.autoscaler, ...figuresOf(score, score.trace)]),
  };
}

function plots(scores: readonly Score[]): Plot[] {
  return [...new Set(scores.map(({ trace }) => trace))].map((trace) => ({
    kind: "plot",
    title: `Tasks wanted, ${trace}`,
    x: { label: "min" },
    y: { label: "tasks" },
    series: scores
      .filter((score) => score.trace === trace)
      .map(({ autoscaler, tasks }) => ({ name: autoscaler, points: steps(tasks) })),
  }));
}

/** A number of tasks holds until the next one: two points for each change. */
function steps(tasks: Score["tasks"]): (readonly [number, number])[] {
  const ends = [...tasks.slice(1).map(([minute]) => minute), TRACE_MINUTES];
  return tasks.flatMap(([minute, count], index) => [
    [minute, count] as const,
    [ends[index] ?? TRACE_MINUTES, count] as const,
  ]);
}

/** How a promise reads when it is not kept. */
const BROKEN = { fewer: "No fewer", "no more": "More" } as const;

function lossNotes(scores: readonly Score[]): Section {
  const lines = compare(scores)
    .filter(({ won, lostOn }) => !won || lostOn.length > 0)
    .map((comparison) => {
      const { rival, criterion, ours, theirs, won } = comparison;
      const { promise, label } = CRITERIA[criterion];
      const sums = won ? "" : `: ${formatNumber(ours, "count")} against ${formatNumber(theirs, "count")}`;
      return `${BROKEN[promise]} ${label} than ${rival}${sums} ${describeLosses(comparison)}.`;
    });
  return { kind: "notes", title: "Where our rule does not win", lines };
}

const MODELS: Section = {
  kind: "notes",
  title: "What is compared",
  lines: [
    "One service: tasks of ten requests at a time, 70 % of which should be in use; 2 to 40 tasks that take 10 s to start.",
    "HPA: Kubernetes' loop of 15 s on CPU, tolerance 0.1, at most +100 % or +4 pods per loop, down window 300 s.",
    "ECS: target tracking, three minutes above to grow, fifteen below 90 % to shrink, cooldowns of 300 s.",
    "KPA: Knative's tick of 2 s on concurrency, stable window 60 s, panic window 6 s at 200 %.",
    "Each has the defaults of its product; delays of their metrics beyond the scrape or the minute are left out, in their favour.",
    "Ours grows when its tasks cannot bear the load (17 % over the target at ten tasks), and then for two minutes to come.",
    "ECS on CPU is cheap where it is late: its tasks are full, so it sees no more than 100 % of them.",
  ],
};
