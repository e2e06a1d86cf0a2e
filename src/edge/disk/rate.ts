/** A token bucket for bytes: what is written may not wear the disk out, whatever is evicted. */

/** Seconds of the rate that may be written at once: what a burst of evictions brings. */
const BURST_S = 4;

export class ByteRate {
  readonly #bytesPerSecond: number;
  #left: number;
  #lastMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#left = bytesPerSecond * BURST_S;
    this.#lastMs = nowMs;
  }

  /** Takes `bytes` if there are any left; an object larger than what is left makes the next ones wait. */
  take(bytes: number, nowMs: number): boolean {
    const passedS = Math.max(0, nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const most = this.#bytesPerSecond * BURST_S;
    this.#left = Math.min(most, this.#left + passedS * this.#bytesPerSecond);
    if (this.#left <= 0) return false;
    this.#left -= bytes;
    return true;
  }
}
