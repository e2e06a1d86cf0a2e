/** Whether an index that was tried on a copy is worth having: its statements before and after, and what it costs. */
import type { IndexCandidate } from "./index-candidates.ts";
import type { Plan } from "./plan.ts";

/** One statement, tried without and with the index. */
export interface Trial {
  readonly statement: string;
  readonly before: Plan;
  readonly after: Plan;
}

/** What the index costs. */
export interface IndexPrice {
  readonly bytes: number;
  readonly buildMs: number;
  /** An INSERT of one row with all indexes there are, without and with this one; undefined where none could be made. */
  readonly insertUs: { readonly before: number; readonly after: number } | undefined;
}

/** An index that was tried. */
export interface TriedIndex {
  readonly candidate: IndexCandidate;
  readonly name: string;
  readonly trials: readonly Trial[];
  readonly price: IndexPrice;
}

/** Why an index is not proposed. */
export type DropReason = "not-used" | "no-gain" | "no-sample" | "build-failed";

/** At least twice as fast: less is noise, and an index costs every write. */
const GAIN_MIN = 2;

/** The outcome: undefined = it is proposed. */
export function dropReason({ trials, name }: TriedIndex): DropReason | undefined {
  if (trials.length === 0) return "no-sample";
  const using = trials.filter(({ after }) => after.indexes.includes(name));
  if (using.length === 0) return "not-used";
  return using.some((trial) => gainOf(trial) >= GAIN_MIN) ? undefined : "no-gain";
}

/** How many times faster, by time and by blocks read: the smaller, so that neither a warm cache nor luck is taken for a gain. */
export function gainOf({ before, after }: Trial): number {
  return Math.min(ratio(before.timeMs, after.timeMs), ratio(before.blocks, after.blocks));
}

/** Below this both are the clock's noise: 1 µs, less than a block. */
const LEAST = 1e-3;

const ratio = (before: number, after: number): number => before / Math.max(after, LEAST);
