/** The ring without load: where a key lives, for who keeps things rather than sends requests. */
import { byId, columnsOf } from "./columns.ts";
import { pointAt, ringOf } from "./ring.ts";

/** Owners of hashes among a fixed list of ids. */
export interface Placement {
  /** Positions in the list of the `count` owners from the hash on along the ring, each once. O(log points) for few. */
  owners(hash: number, count: number): number[];
}

/** Places hashes on a ring of these ids, all of the same weight. The order of the list does not matter to who owns what. */
export function placementOf(ids: readonly string[]): Placement {
  const columns = columnsOf(byId(ids.map((id, index) => ({ id, index, weight: 1 }))));
  const ring = ringOf(columns);
  const points = ring.owners.length;
  return {
    owners(hash, count) {
      const owners: number[] = [];
      const start = pointAt(ring, hash >>> 0);
      for (let visit = 0; visit < points && owners.length < Math.min(count, ids.length); visit++) {
        const index = columns.indexes[ring.owners[(start + visit) % points] ?? 0] ?? 0;
        if (!owners.includes(index)) owners.push(index);
      }
      return owners;
    },
  };
}
