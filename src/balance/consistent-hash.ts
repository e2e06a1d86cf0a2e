/**
 * Consistent hashing with bounded load: a key goes to its owner on the ring unless that owner has more than its fair
 * share of the requests in flight, times a factor c; then to the next owner along the ring that has room.
 *
 * With S requests in flight over all candidates, the share of one is ceil((S + 1) x c x weight / total weight): hot
 * keys spill over, few others move. See Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded loads"
 * (2016). c = 1.25 is HAProxy's low end of the useful range; infinity leaves the plain ring.
 */
import type { Balancer, BalancerContext } from "./balancer.ts";
import { byId, columnsOf, following, ignoreResponse, NO_COLUMNS, sole } from "./columns.ts";
import { pointAt, type Ring, ringOf } from "./ring.ts";

const NO_RING: Ring = ringOf(NO_COLUMNS);

/**
 * Creates a ring with bounded load. A pick is O(log points), and O(candidates) once the owner has work. Warmth is
 * not applied: a key keeps its target.
 */
export function createConsistentHash({ load, boundedLoad }: BalancerContext): Balancer {
  let columns = NO_COLUMNS;
  let ring = NO_RING;
  let totalWeight = 0;

  const inFlight = (): number => {
    let sum = 0;
    for (let position = 0; position < columns.size; position++) {
      sum += load.inFlight(columns.indexes[position] ?? -1);
    }
    return sum;
  };

  /** The first owner from `start` on that has room, or failing that the first that may be used at all. */
  const walk = (start: number, exclude: number): number => {
    const perWeight = ((inFlight() + 1) * boundedLoad) / totalWeight;
    const points = ring.owners.length;
    let first = -1;
    let point = start;
    for (let visit = 0; visit < points; visit++) {
      const position = ring.owners[point] ?? 0;
      const index = columns.indexes[position] ?? -1;
      point = following(point, points);
      if (index === exclude) continue;
      if (load.inFlight(index) < Math.ceil(perWeight * (columns.weights[position] ?? 0))) return index;
      if (first === -1) first = index;
    }
    return first;
  };

  return {
    setTargets(candidates) {
      columns = columnsOf(byId(candidates));
      ring = ringOf(columns);
      totalWeight = columns.weights.reduce((sum, weight) => sum + weight, 0);
    },

    pick(hash, exclude) {
      if (columns.size < 2) return sole(columns);
      const point = pointAt(ring, hash >>> 0);
      const owner = columns.indexes[ring.owners[point] ?? 0] ?? -1;
      // A share is never below 1, so an idle owner needs no sum.
      if (owner !== exclude && load.inFlight(owner) === 0) return owner;
      return walk(point, exclude);
    },

    observe: ignoreResponse,
  };
}
