/**
 * How many arrivals a loop waits for at once. To be woken for each costs as much as a send, so where they come quickly the
 * loop sleeps until some are there; a lone one is never waited for.
 */

/** Rounds between two looks at the clock. */
const ROUNDS = 32;

/** More do not make a wake-up noticeably cheaper. */
const ARRIVALS_MAX = 16;

const US_PER_MS = 1000;

/** Counts arrivals, and says how many the next wait is for. */
export class Gathering {
  /** What the next wait is for; 1: the first arrival ends it. */
  wanted = 1;
  readonly #withinUs: number;
  readonly #nowMs: () => number;
  #rounds = 0;
  #arrivals = 0;
  #sinceMs: number;

  /** `withinUs`: what comes within this time is worth waiting for. `nowMs`: a monotonic clock with fractions. */
  constructor(withinUs: number, nowMs: () => number) {
    this.#withinUs = withinUs;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** A round is over that brought so many. */
  round(arrivals: number): void {
    this.#arrivals += arrivals;
    if (++this.#rounds < ROUNDS) return;
    const nowMs = this.#nowMs();
    const perUs = this.#arrivals / Math.max(1, (nowMs - this.#sinceMs) * US_PER_MS);
    this.wanted = Math.max(1, Math.min(ARRIVALS_MAX, Math.round(perUs * this.#withinUs)));
    this.#rounds = 0;
    this.#arrivals = 0;
    this.#sinceMs = nowMs;
  }
}
