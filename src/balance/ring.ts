/**
 * The hash ring: points on a circle of 32-bit hashes, each owned by a candidate; a key belongs to the first point at
 * or after its hash.
 *
 * A candidate's points depend on its id alone, and on its weight only in their number, so that when another comes or
 * goes just the keys beside its points move. The points are a ketama-like sequence, hash(id) stepped and mixed.
 */
import { murmur3String } from "../base/index.ts";
import type { Columns } from "./columns.ts";
import { rehash } from "./key.ts";

/** Points of a candidate of weight 1, ketama's number: shares then stray about 1/sqrt(160) = 8 % from even. */
export const POINTS_PER_WEIGHT = 160;

/**
 * Points of the whole ring, 1.5 MiB at most. A group that would need more halves everybody's number of points until
 * it fits. Halving (rather than scaling to fit) leaves the ring untouched by most changes of the set.
 */
export const POINTS_MAX = 262_144;

const START_SEED = 0x72696e67;
const STEP_SEED = 0x73746570;

/** Points in ascending order of hash, and the position that owns each. */
export interface Ring {
  readonly hashes: Uint32Array;
  readonly owners: Uint16Array;
}

/** Builds the ring. O(points x log points). */
export function ringOf({ ids, weights }: Columns): Ring {
  const counts = pointCounts(weights);
  const points = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let filled = 0;
  ids.forEach((id, position) => {
    const start = murmur3String(id, START_SEED);
    const step = murmur3String(id, STEP_SEED) | 1;
    for (let point = 0; point < (counts[position] ?? 0); point++) {
      // Hash and owner in one number (32 + 16 bits of its 53), so that the fast numeric sort orders both.
      points[filled++] = rehash(start + Math.imul(point, step)) * OWNERS + position;
    }
  });
  points.sort();
  return {
    hashes: Uint32Array.from(points, (point) => Math.floor(point / OWNERS)),
    owners: Uint16Array.from(points, (point) => point % OWNERS),
  };
}

/** Room for the owner in a point's number; positions are below 4096. */
const OWNERS = 2 ** 16;

/** Points of each candidate: in proportion to weight, at least one. */
function pointCounts(weights: Float64Array): Uint32Array {
  const wanted = weights.reduce((sum, weight) => sum + weight, 0) * POINTS_PER_WEIGHT;
  const halvings = Math.max(0, Math.ceil(Math.log2(wanted / POINTS_MAX)));
  return Uint32Array.from(weights, (weight) => Math.max(1, (weight * POINTS_PER_WEIGHT) >>> halvings));
}

/** The number of the first point at or after the hash; after the last comes the first. O(log points). */
export function pointAt({ hashes }: Ring, hash: number): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] ?? 0) >= hash) high = middle;
    else low = middle + 1;
  }
  return low === hashes.length ? 0 : low;
}
