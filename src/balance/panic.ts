/**
 * Panic: when too few targets are healthy, health is ignored and all are used (Envoy's panic threshold).
 *
 * A few healthy targets that get everybody's load fall over too, and a check that is wrong about all of them should
 * not take the site down. Fail open: some answers are better than none.
 */

/** Who may be picked, and why these. */
export interface Usable {
  /** Places in the list that was asked about, ascending. */
  readonly usable: readonly number[];
  /** Whether health is ignored. */
  readonly panic: boolean;
  readonly reason: UsableReason;
}

/** Why these may be picked. The last two leave nobody to pick. */
export type UsableReason =
  | "all-healthy"
  | "healthy-share-suffices"
  | "healthy-share-below-threshold"
  | "none-healthy-panic-off"
  | "no-targets";

/**
 * Which targets may be picked. `healthy` holds one flag for each target in rotation (draining ones are not), and
 * `threshold` is the share of healthy ones below which all are used, 0..1; 0 = off. O(targets).
 */
export function usableTargets(healthy: readonly boolean[], threshold: number): Usable {
  const all = [...healthy.keys()];
  if (all.length === 0) return { usable: all, panic: false, reason: "no-targets" };
  const usable = all.filter((target) => healthy[target]);
  if (usable.length === all.length) return { usable, panic: false, reason: "all-healthy" };
  if (usable.length / all.length < threshold) {
    return { usable: all, panic: true, reason: "healthy-share-below-threshold" };
  }
  const reason = usable.length === 0 ? "none-healthy-panic-off" : "healthy-share-suffices";
  return { usable, panic: false, reason };
}
