/** Random: each candidate with the probability of its weight x warmth. */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { ignoreResponse, sole } from "./columns.ts";
import { createDraw } from "./draw.ts";

/** Creates a weighted random balancer. A pick is O(log candidates). */
export function createRandom(context: BalancerContext): Balancer {
  const draw = createDraw(context, () => 0);
  return {
    setTargets: draw.setTargets,
    pick(_hash, exclude) {
      const columns = draw.columns();
      if (columns.size < 2) return sole(columns);
      return columns.indexes[draw.one(columns.positions[exclude] ?? -1)] ?? -1;
    },
    observe: ignoreResponse,
  };
}
