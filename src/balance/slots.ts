/**
 * Weighted slots: a line as long as the sum of the weights, on which each candidate owns a stretch of its weight.
 *
 * A point of the line, random or hashed, falls to its owner by binary search over the ends. An excluded candidate's
 * stretch is cut out and the line closed up, so that its share spreads over all others in proportion.
 */
import type { Columns } from "./columns.ts";

/** Where each position's stretch ends; the last end is the length of the line. */
export type Ends = Float64Array;

/** Lays the weights end to end. */
export function endsOf({ weights }: Columns): Ends {
  let end = 0;
  return weights.map((weight) => (end += weight));
}

/**
 * The position that owns the point `fraction` (in [0, 1)) of the line, without the position `exclude` (-1 = none).
 * O(log n).
 */
export function ownerAt(ends: Ends, fraction: number, exclude: number): number {
  const length = ends[ends.length - 1] ?? 0;
  if (exclude === -1) return search(ends, fraction * length);
  const from = ends[exclude - 1] ?? 0;
  const cut = (ends[exclude] ?? 0) - from;
  const point = fraction * (length - cut);
  return search(ends, point < from ? point : point + cut);
}

/** The first position whose end lies beyond the point. */
function search(ends: Ends, point: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] ?? 0) > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
