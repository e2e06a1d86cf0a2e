/** Calls to one store behind the breaker that the cache has: one that does not answer does not cost each query its deadline. */
import type { Clock } from "../../base/index.ts";
import { Breaker } from "../store/breaker.ts";

/** Runs calls to one store. */
export class GuardedCalls {
  readonly #breaker: Breaker;
  /** Calls that brought no answer, those refused included. */
  failed = 0;

  constructor(clock: Clock) {
    this.#breaker = new Breaker(clock);
  }

  /** Whether calls are refused now. */
  get isRefusing(): boolean {
    return this.#breaker.isRefusing;
  }

  /** What the call brings; "failed" when it rejects, or is not made because those before it did. */
  async run<T>(call: () => Promise<T>): Promise<T | "failed"> {
    if (!this.#breaker.mayTry()) return this.#fail();
    try {
      const value = await call();
      this.#breaker.succeeded();
      return value;
    } catch {
      this.#breaker.failed();
      return this.#fail();
    }
  }

  #fail(): "failed" {
    this.failed += 1;
    return "failed";
  }
}
