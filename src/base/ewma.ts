/**
 * Exponentially weighted moving averages over uneven samples, as functions on numbers.
 *
 * A sample's weight falls by 1/e every `tauMs`, however many samples come in between, so the average means the same
 * at one request per second and at ten thousand. The owner keeps the average and the time of its last sample.
 */

/** Share of an old average that is left after `elapsedMs`: e^(-elapsed/tau), 1 for no or negative elapsed time. */
export function decay(elapsedMs: number, tauMs: number): number {
  return elapsedMs > 0 ? Math.exp(-elapsedMs / tauMs) : 1;
}

/** The average after one more sample, `elapsedMs` after the one before. Units are the sample's. */
export function ewma(average: number, sample: number, elapsedMs: number, tauMs: number): number {
  const kept = decay(elapsedMs, tauMs);
  return average * kept + sample * (1 - kept);
}

/**
 * The peak form (Finagle's "peak EWMA"): jumps to a sample above the average at once and forgets it slowly, so that a
 * target which turns slow is avoided after one response, not after a window of them.
 */
export function peakEwma(average: number, sample: number, elapsedMs: number, tauMs: number): number {
  return sample > average ? sample : ewma(average, sample, elapsedMs, tauMs);
}
