/** How long something took, counted by classes: what a histogram of Prometheus is made of. */

/** Upper bounds, in ms: a class for each step of 1, 2, 5, from a query on loopback to the longest wait that pools know. */
export const DURATION_LIMITS_MS: readonly number[] = [
  0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000,
];

/** Counts as plain data. */
export interface DurationCounts {
  /** One for each of `DURATION_LIMITS_MS`, and a last one for what took longer. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export class Durations implements DurationCounts {
  readonly counts: number[] = Array.from({ length: DURATION_LIMITS_MS.length + 1 }, () => 0);
  sumMs = 0;

  /** O(classes), and most are in the first few. */
  record(ms: number): void {
    let at = 0;
    while (at < DURATION_LIMITS_MS.length && ms > (DURATION_LIMITS_MS[at] ?? 0)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumMs += ms;
  }
}
