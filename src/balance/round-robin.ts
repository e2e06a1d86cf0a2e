/**
 * Round robin: each candidate in turn, weights ignored.
 *
 * A target in slow start takes part in a share of its turns: each visit adds its warmth to its credit, and a whole
 * credit buys the turn. At full warmth every visit buys one, so the order is the plain 1-2-3-1.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { carryOver, columnsOf, following, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";

/** Creates a round robin. A pick looks at one candidate, or at most at each once during slow start. */
export function createRoundRobin({ load }: BalancerContext): Balancer {
  let columns = NO_COLUMNS;
  let credits = new Float64Array(0);
  let next = 0;

  return {
    setTargets(candidates) {
      const before = columns;
      columns = columnsOf(candidates);
      credits = carryOver(before, credits, columns, 0);
      next = columns.size === 0 ? 0 : next % columns.size;
    },

    pick(_hash, exclude) {
      const { size, indexes } = columns;
      if (size < 2) return sole(columns);
      for (let visit = 0; visit < size; visit++) {
        const position = next;
        next = following(position, size);
        const index = indexes[position] ?? -1;
        if (index === exclude) continue;
        const credit = (credits[position] ?? 0) + load.warmth(index);
        credits[position] = credit >= 1 ? credit - 1 : credit;
        if (credit >= 1) return index;
      }
      // All are cold: somebody has to take the request, in plain turn.
      const turn = indexes[next] === exclude ? following(next, size) : next;
      next = following(turn, size);
      return indexes[turn] ?? -1;
    },

    observe: ignoreResponse,
  };
}
