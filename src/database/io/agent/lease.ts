/**
 * The right of a primary to take writes, until a moment of the monotonic clock. When that has come and nobody has extended it,
 * the server is ended: first of all, before anything is asked or written.
 */
import type { Cancel, Clock, Scheduler } from "../../../base/index.ts";

/** What a lease needs. */
export interface LeaseParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Called once when the lease is over. */
  readonly onOver: (term: number) => void;
}

export class Lease {
  readonly #parts: LeaseParts;
  #held: { readonly term: number; readonly untilMs: number } | undefined;
  #cancel: Cancel = () => {};

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  /** What is left, ms; undefined when there is none, 0 when it has just run out. */
  get leftMs(): number | undefined {
    return this.#held === undefined ? undefined : Math.max(0, this.#held.untilMs - this.#parts.clock.nowMs());
  }

  /** Whether it is held now; asks the clock, for a timer may be late. */
  get isHeld(): boolean {
    return (this.leftMs ?? 0) > 0;
  }

  /** Holds it until `validMs` from now. */
  extend(term: number, validMs: number): void {
    this.#held = { term, untilMs: this.#parts.clock.nowMs() + validMs };
    this.#arm();
  }

  /** Gives it back: nothing happens at its end. */
  release(): void {
    this.#cancel();
    this.#held = undefined;
  }

  #arm(): void {
    this.#cancel();
    this.#cancel = this.#parts.scheduler.after(this.leftMs ?? 0, () => {
      const held = this.#held;
      if (held === undefined) return;
      if (this.isHeld) return this.#arm();
      this.#held = undefined;
      this.#parts.onOver(held.term);
    });
  }
}
