/**
 * Single numbers put over a workload, as options do: another number of users, other reads, a larger page.
 *
 * What is said of "reads" and "writes" is meant for the only action of that kind; where there is none, it makes one.
 */
import type { Problem } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import type { Action, Workload } from "./workload.ts";

/** What may be put over. */
export interface Overrides extends Partial<Omit<Workload, "name" | "actions">>, Partial<ActionOverrides> {}

/** What is said of the only read, or the only write. */
interface ActionOverrides {
  readonly readsPerUser: number;
  readonly readsPerWrite: number;
  readonly writesPerUser: number;
  /** Sent for each read. */
  readonly pageBytes: number;
  /** Kept for each write. */
  readonly itemBytes: number;
  /** Kept with `fileShare` of the writes, in an object store. */
  readonly fileBytes: number;
  readonly fileShare: number;
}

type Change = Partial<Pick<Action, "times" | "per" | "answerBytes" | "storedBytes">>;

/** The workload with the numbers put over it, or which of them cannot be. */
export function override(workload: Workload, over: Overrides): Outcome<Workload> {
  const { readsPerUser, readsPerWrite, writesPerUser, pageBytes, itemBytes, fileBytes, fileShare, ...rest } =
    over;
  const problems: Problem[] = [];
  if (readsPerUser !== undefined && readsPerWrite !== undefined)
    problems.push({ path: "reads", what: "are given per user and per write", mend: "keep one of the two" });
  const reads = changed(workload.actions, "read", problems, {
    ...timesOf(readsPerUser, "user"),
    ...timesOf(readsPerWrite, "write"),
    ...(pageBytes === undefined ? {} : { answerBytes: pageBytes }),
  });
  const writes = changed(reads, "write", problems, {
    ...timesOf(writesPerUser, "user"),
    ...(itemBytes === undefined ? {} : { storedBytes: itemBytes }),
  });
  const actions = withFiles(writes, { fileBytes, fileShare }, problems);
  return problems.length > 0 ? { kind: "problems", problems } : ok({ ...workload, ...rest, actions });
}

function timesOf(times: number | undefined, per: Action["per"]): Change {
  return times === undefined ? {} : { times, per };
}

const NOTHING = { times: 0, per: "user", storedBytes: 0, answerBytes: 0 } as const;

/** The actions with `change` made to the only one of `kind`. */
function changed(
  actions: readonly Action[],
  kind: Action["kind"],
  problems: Problem[],
  change: Change,
): readonly Action[] {
  if (Object.keys(change).length === 0) return actions;
  if (actions.every((one) => one.kind !== kind))
    return [...actions, { ...NOTHING, name: `${kind}s`, kind, ...change }];
  const only = onlyOf(actions, kind, problems);
  return actions.map((one) => (one === only ? { ...one, ...change } : one));
}

/** The actions with a file to the only write, or with another size or share of it. */
function withFiles(
  actions: readonly Action[],
  {
    fileBytes,
    fileShare,
  }: { readonly fileBytes: number | undefined; readonly fileShare: number | undefined },
  problems: Problem[],
): readonly Action[] {
  if (fileBytes === undefined && fileShare === undefined) return actions;
  const only = onlyOf(actions, "write", problems);
  const bytes = fileBytes ?? only?.attachment?.bytes;
  const share = fileShare ?? only?.attachment?.share ?? 1;
  if (bytes === undefined) {
    problems.push({
      path: "files",
      what: "have a share and no size",
      mend: "give the size of a file as well",
    });
    return actions;
  }
  return actions.map((one) => (one === only ? { ...one, attachment: { bytes, share } } : one));
}

function onlyOf(actions: readonly Action[], kind: Action["kind"], problems: Problem[]): Action | undefined {
  const [only, ...others] = actions.filter((one) => one.kind === kind);
  if (only !== undefined && others.length === 0) return only;
  problems.push({
    path: `${kind}s`,
    what:
      only === undefined
        ? "have a file, and there are none"
        : `are meant for one action, and there are ${others.length + 1} of them`,
    mend: only === undefined ? "say how many there are" : "change them in the file",
  });
  return undefined;
}
