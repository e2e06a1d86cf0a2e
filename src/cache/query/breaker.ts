/**
 * Keeps a store that does not answer from costing each query its deadline.
 *
 * closed -> after `FAILURES` in a row -> open for `OPEN_MS`, all refused at once -> one try: closed again, or open.
 */
import type { Clock } from "../../base/index.ts";

const FAILURES = 5;
const OPEN_MS = 1000;

/** Runs calls to one store. */
export class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #openUntilMs = Number.NEGATIVE_INFINITY;
  /** Calls that brought no answer, those refused included. */
  failed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether calls are refused now. */
  get isOpen(): boolean {
    return this.#clock.nowMs() < this.#openUntilMs;
  }

  /** What the call brings; "failed" when it rejects, or is not made because those before it did. */
  async run<T>(call: () => Promise<T>): Promise<T | "failed"> {
    if (this.isOpen) return this.#fail();
    // Half open: those who come while one tries are refused.
    if (this.#failures >= FAILURES) this.#openUntilMs = this.#clock.nowMs() + OPEN_MS;
    try {
      const value = await call();
      this.#failures = 0;
      this.#openUntilMs = Number.NEGATIVE_INFINITY;
      return value;
    } catch {
      this.#failures += 1;
      if (this.#failures >= FAILURES) this.#openUntilMs = this.#clock.nowMs() + OPEN_MS;
      return this.#fail();
    }
  }

  #fail(): "failed" {
    this.failed += 1;
    return "failed";
  }
}
