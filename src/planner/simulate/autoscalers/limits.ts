/** What every autoscaler under comparison is given alike: bounds, and the share of a task that it should keep busy. */

/** The same orders for all, each to be met in the autoscaler's own signal. */
export interface Limits {
  readonly min: number;
  readonly max: number;
  /** Requests that one task serves at a time: all of its CPU, all of its concurrency. */
  readonly concurrency: number;
  /** Share of that which should be in use: 0.7 is 70 % CPU, or 7 of 10 requests. */
  readonly utilisation: number;
}

/** `count` within min and max. */
export function withinLimits(count: number, { min, max }: Limits): number {
  return Math.min(max, Math.max(min, count));
}
