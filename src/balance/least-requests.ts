/**
 * Least requests: the candidate with the fewest requests in flight for its weight, (inFlight + 1) / weight.
 *
 * The one added counts the request at hand, so that among idle targets the heavier is preferred. The scan starts
 * after the last winner and only a strictly lower score wins, so equals take turns.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { columnsOf, following, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";

/**
 * Candidates looked at per pick. Up to here the choice is exact; beyond, the best of 64 is within a hair of it (the
 * best of 2 already bounds the longest queue by log log n) and the cost of a pick stays bounded.
 */
export const SCAN_MAX = 64;

/** Creates a least requests balancer. A pick is O(candidates) up to `SCAN_MAX`. */
export function createLeastRequests({ load }: BalancerContext): Balancer {
  let columns = NO_COLUMNS;
  let start = 0;

  return {
    setTargets(candidates) {
      columns = columnsOf(candidates);
      start = columns.size === 0 ? 0 : start % columns.size;
    },

    pick(_hash, exclude) {
      const { size, indexes, weights } = columns;
      if (size < 2) return sole(columns);
      const scans = Math.min(size, SCAN_MAX);
      let best = -1;
      let bestScore = Infinity;
      let position = start;
      for (let scan = 0; scan < scans; scan++) {
        const index = indexes[position] ?? -1;
        const score = (load.inFlight(index) + 1) / ((weights[position] ?? 0) * load.warmth(index));
        if (score < bestScore && index !== exclude) {
          best = position;
          bestScore = score;
        }
        position = following(position, size);
      }
      start = following(best, size);
      return indexes[best] ?? -1;
    },

    observe: ignoreResponse,
  };
}
