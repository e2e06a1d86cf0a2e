/**
 * Power of two choices: of two candidates drawn by weight, the one with fewer requests in flight for its weight.
 *
 * Nearly as even as looking at all, at a cost that does not grow with the group, and without the herding of several
 * workers that all see the same least loaded target. See Mitzenmacher, "The power of two choices in randomized load
 * balancing" (2001). On a tie the first drawn wins, so an idle group is shared by weight.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { ignoreResponse, sole } from "./columns.ts";
import { createDraw } from "./draw.ts";

/** Creates a power of two choices balancer. A pick is O(log candidates). */
export function createPowerOfTwo(context: BalancerContext): Balancer {
  const { load } = context;
  const draw = createDraw(context, (position) => {
    const { indexes, weights } = draw.columns();
    const index = indexes[position] ?? -1;
    return load.inFlight(index) / ((weights[position] ?? 0) * load.warmth(index));
  });
  return {
    setTargets: draw.setTargets,
    pick(_hash, exclude) {
      const columns = draw.columns();
      if (columns.size < 2) return sole(columns);
      return columns.indexes[draw.betterOfTwo(columns.positions[exclude] ?? -1)] ?? -1;
    },
    observe: ignoreResponse,
  };
}
