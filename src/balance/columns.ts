/**
 * Candidates as columns: typed arrays by position, so that a pick reads numbers and allocates nothing.
 *
 * A *position* is a place in these columns, 0..size-1; an *index* is the target's number within its group. Positions
 * change with each `setTargets`, and so may indexes: what an algorithm remembers from set to set is keyed by id.
 */
import type { Candidate } from "./balancer.ts";

/** The candidates of one group, by position. */
export interface Columns {
  readonly size: number;
  readonly ids: readonly string[];
  readonly indexes: Int32Array;
  readonly weights: Float64Array;
  /** Target number -> position, or -1 for a target that is no candidate. Longer than the largest number. */
  readonly positions: Int32Array;
}

/** Lays candidates out as columns, in the order given. */
export function columnsOf(candidates: readonly Candidate[]): Columns {
  const indexes = Int32Array.from(candidates, (candidate) => candidate.index);
  const positions = new Int32Array(indexes.reduce((most, index) => Math.max(most, index + 1), 0)).fill(-1);
  indexes.forEach((index, position) => (positions[index] = position));
  return {
    size: candidates.length,
    ids: candidates.map((candidate) => candidate.id),
    indexes,
    weights: Float64Array.from(candidates, (candidate) => candidate.weight),
    positions,
  };
}

/** No candidates: what every algorithm starts from. */
export const NO_COLUMNS: Columns = columnsOf([]);

/**
 * The candidates ordered by id. What a table or ring makes of them then does not depend on the order in which a
 * snapshot lists them, and all workers and machines agree.
 */
export function byId(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
}

/**
 * The answer when there is nothing to choose: the only candidate, or -1 without any. Each `pick` begins with it when
 * there are fewer than two, and may rely afterwards on another candidate existing beside the excluded one.
 */
export function sole(columns: Columns): number {
  return columns.indexes[0] ?? -1;
}

/** The next place on a circle of `size` places. */
export function following(place: number, size: number): number {
  return place + 1 === size ? 0 : place + 1;
}

/** `observe` of the algorithms that do not learn from responses. */
export function ignoreResponse(): void {}

/**
 * Moves what was remembered per position to the positions of a new set, by id. A target that was not there before
 * starts with `initial`.
 */
export function carryOver(
  before: Columns,
  values: Float64Array,
  after: Columns,
  initial: number,
): Float64Array<ArrayBuffer> {
  const known = new Map(before.ids.map((id, position) => [id, values[position] ?? initial]));
  return Float64Array.from(after.ids, (id) => known.get(id) ?? initial);
}
