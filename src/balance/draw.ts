/**
 * Random draws of a candidate by weight and warmth, and the better of two such draws.
 *
 * Warmth is honoured by rejection: a drawn target in slow start is kept with the probability of its warmth. That
 * needs no sums that change with time.
 */
import type { BalancerContext, Candidate } from "./balancer.ts";
import { type Columns, columnsOf, NO_COLUMNS } from "./columns.ts";
import { endsOf, ownerAt } from "./slots.ts";

/**
 * Draws before a cold target is accepted after all. With one warm target beside nine at a tenth of their weight, 19
 * draws of 100 are accepted, so 3 picks of 100 end here; with two warm ones, 1 of 300.
 */
const DRAWS_MAX = 16;

/** Draws positions of the current candidates. */
export interface Draw {
  /** The candidates drawn from. */
  readonly columns: () => Columns;
  readonly setTargets: (candidates: readonly Candidate[]) => void;
  /** A position by weight and warmth, without the position `exclude` (-1 = none). Needs two candidates. */
  readonly one: (exclude: number) => number;
  /**
   * Draws two different positions by weight, both without `exclude` if that leaves two, and returns the one with the
   * lower score, on a tie the first, so that equal scores keep the weighted shares.
   */
  readonly betterOfTwo: (exclude: number) => number;
}

/** Creates the draws over `score`, the cost of a position, lower being better. */
export function createDraw({ load, random }: BalancerContext, score: (position: number) => number): Draw {
  let columns = NO_COLUMNS;
  let ends = endsOf(columns);

  const one = (exclude: number): number => {
    let position = -1;
    for (let draws = 0; draws < DRAWS_MAX; draws++) {
      position = ownerAt(ends, random(), exclude);
      const warmth = load.warmth(columns.indexes[position] ?? -1);
      if (warmth >= 1 || random() < warmth) return position;
    }
    return position;
  };

  return {
    columns: () => columns,
    setTargets(candidates) {
      columns = columnsOf(candidates);
      ends = endsOf(columns);
    },
    one,
    betterOfTwo(exclude) {
      const first = one(exclude);
      const second = one(first);
      // The second draw excludes the first; when it hits the excluded target instead, the first stands unopposed.
      if (second === exclude) return first;
      return score(second) < score(first) ? second : first;
    },
  };
}
