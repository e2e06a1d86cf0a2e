/**
 * A circuit breaker: after some failures in a row nothing is tried for a while, then one probe decides.
 *
 *   closed -> open (5 failures in a row) -> half-open (after the pause, one probe) -> closed, or open for twice as long
 */
import type { Clock } from "../../base/index.ts";

/** Failures in a row: one or two happen, five are a server that is gone. */
const FAILURES_MAX = 5;
/** The first pause, and the longest: a server that is back is found within it, and a probe costs one call its deadline. */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 2000;

/** Whether a server may be asked. */
export class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #openUntilMs = Number.NEGATIVE_INFINITY;
  #pauseMs = PAUSE_MS_MIN;
  #isProbing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  /** Whether `mayTry` would say no now. False in the half-open state until somebody probes: who goes by it must try. */
  get isRefusing(): boolean {
    return this.isOpen && (this.#isProbing || this.#clock.nowMs() < this.#openUntilMs);
  }

  /** Whether to try; in the half-open state true for one caller, who must report. */
  mayTry(): boolean {
    if (this.isRefusing) return false;
    if (this.isOpen) this.#isProbing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#isProbing = false;
    this.#pauseMs = PAUSE_MS_MIN;
  }

  failed(): void {
    const wasProbe = this.#isProbing;
    this.#isProbing = false;
    this.#failures++;
    if (!this.isOpen) return;
    if (wasProbe) this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    this.#openUntilMs = this.#clock.nowMs() + this.#pauseMs;
  }
}
