/**
 * Smooth weighted round robin, as nginx does it.
 *
 * At each pick every candidate's current value grows by its weight; the largest wins and pays the sum of all weights.
 * Weights 5:1:1 give a-a-b-a-c-a-a: exact shares in every round of 7, and no run of a's longer than need be. The
 * weight that counts is weight x warmth, so a target in slow start gets its turns in that proportion.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { carryOver, columnsOf, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";

/** Creates a smooth weighted round robin. A pick is O(candidates). */
export function createWeightedRoundRobin({ load }: BalancerContext): Balancer {
  let columns = NO_COLUMNS;
  let currents = new Float64Array(0);

  return {
    setTargets(candidates) {
      const before = columns;
      columns = columnsOf(candidates);
      currents = carryOver(before, currents, columns, 0);
    },

    pick(_hash, exclude) {
      const { size, indexes, weights } = columns;
      if (size < 2) return sole(columns);
      let total = 0;
      let best = -1;
      let bestCurrent = -Infinity;
      for (let position = 0; position < size; position++) {
        const index = indexes[position] ?? -1;
        if (index === exclude) continue;
        const weight = (weights[position] ?? 0) * load.warmth(index);
        const current = (currents[position] ?? 0) + weight;
        currents[position] = current;
        total += weight;
        if (current <= bestCurrent) continue;
        best = position;
        bestCurrent = current;
      }
      currents[best] = bestCurrent - total;
      return indexes[best] ?? -1;
    },

    observe: ignoreResponse,
  };
}
