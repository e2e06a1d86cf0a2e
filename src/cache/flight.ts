/**
 * A load under way, which all callers of its key share: the answer comes once, whether fresh, stale or as an error.
 *
 * The hard timeout gives up on a load. The soft timeout answers with a stale value while the load goes on, as does
 * a load that fails. Whichever comes first is the answer for all who wait and for all who come while it lasts.
 */
import type { Cancel, Scheduler } from "../base/index.ts";
import { aboutKey, CacheError } from "./errors.ts";
import type { Terms } from "./terms.ts";
import type { Watch } from "./watches.ts";

/** What became of a flight for those who waited. */
export type Outcome = "fresh" | "stale-slow" | "stale-error" | "error" | "timeout";

/** A value that may be served although its time is over. */
export interface Stale {
  readonly value: unknown;
}

/** Told by a flight. */
export interface FlightEvents {
  /** There is an answer. */
  readonly answered: (outcome: Outcome) => void;
  /** The load has ended or was given up, so nobody joins it any more. Comes before the answer. May come twice. */
  readonly landed: (flight: Flight) => void;
}

/** One load of one key. */
export class Flight {
  readonly watch: Watch;
  readonly terms: Terms;
  /** Resolves once, as soon as there is something to say. */
  readonly answer: Promise<unknown>;
  readonly #abort: AbortController = new AbortController();
  readonly #scheduler: Scheduler;
  readonly #events: FlightEvents;
  #resolve: (value: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #cancelHard: Cancel;
  #cancelSoft: Cancel = () => {};
  #isAnswered = false;
  #stale: Stale | undefined;

  constructor(watch: Watch, terms: Terms, scheduler: Scheduler, events: FlightEvents) {
    this.watch = watch;
    this.terms = terms;
    this.#scheduler = scheduler;
    this.#events = events;
    this.answer = new Promise<unknown>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A refresh in the background has nobody who waits: its failure is counted, not thrown.
    this.answer.catch(() => {});
    this.#cancelHard = scheduler.after(terms.hardTimeoutMs, () => {
      this.#abort.abort();
      this.fail(
        new CacheError("load-timeout", `${aboutKey(watch.key)}, ${terms.hardTimeoutMs} ms`),
        "timeout",
      );
    });
  }

  /** Aborted when the load is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** There is a stale value to fall back on. */
  allowStale(stale: Stale): void {
    if (this.#stale !== undefined) return;
    this.#stale = stale;
    if (this.terms.softTimeoutMs === 0) this.#softOver();
    else this.#cancelSoft = this.#scheduler.after(this.terms.softTimeoutMs, () => this.#softOver());
  }

  /** The value is there. */
  succeed(value: unknown): void {
    this.land();
    if (this.#isFirst("fresh")) this.#resolve(value);
  }

  /** Another caller loads, and what is stale is good enough until then. */
  settleForStale(): void {
    this.#softOver();
  }

  /** The load failed or took too long. */
  fail(error: unknown, outcome: Outcome): void {
    this.land();
    const stale = this.#stale;
    if (!this.#isFirst(stale === undefined ? outcome : "stale-error")) return;
    if (stale === undefined) this.#reject(error);
    else this.#resolve(stale.value);
  }

  /** The load goes on, and who comes meanwhile gets the same stale answer. */
  #softOver(): void {
    const stale = this.#stale;
    if (stale !== undefined && this.#isFirst("stale-slow")) this.#resolve(stale.value);
  }

  /** The load is over: no timer runs for it, and nobody joins it. */
  land(): void {
    this.#cancelHard();
    this.#cancelSoft();
    this.#events.landed(this);
  }

  #isFirst(outcome: Outcome): boolean {
    if (this.#isAnswered) return false;
    this.#isAnswered = true;
    this.#events.answered(outcome);
    return true;
  }
}
