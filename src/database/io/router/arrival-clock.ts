/**
 * The clock of a worker: while an arrival is dealt with it stands at the moment at which that began, outside it runs.
 *
 * The gate is asked at every message and the queue notes who waits, so a clock that ran would be read up to ten times a query. What an
 * arrival puts together goes to the kernel at its end at the earliest, so a later reading is no nearer to the truth: a process that is
 * stopped between the two is late by either. Whoever trusts a reading has a margin of `marginMs` for that.
 */
import type { Clock } from "../../../base/index.ts";

export class ArrivalClock implements Clock {
  readonly #clock: Clock;
  #standsAtMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#standsAtMs ?? this.#clock.nowMs();
  }
  wallMs(): number {
    return this.#clock.wallMs();
  }

  /** An arrival is about to be dealt with, without a wait in it. */
  stand(): void {
    this.#standsAtMs = this.#clock.nowMs();
  }
  /** It has been. */
  run(): void {
    this.#standsAtMs = undefined;
  }
}
