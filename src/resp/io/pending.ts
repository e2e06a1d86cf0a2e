/**
 * Calls that wait for their reply, in the order in which they were sent. A call whose deadline has passed is settled at
 * once, but keeps its place: its reply may still come, and must not be taken for that of the next.
 */
import type { Reply } from "../reply.ts";
import type { Request } from "../request.ts";
import type { StoreError } from "./store-error.ts";

/** One call. */
export interface Call {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: StoreError) => void;
  /** Monotonic ms; infinite for none. */
  readonly deadlineMs: number;
  /** Bytes that had been received when it was sent. */
  receivedBefore: number;
  settled: boolean;
}

/** Places of replied calls are given back in one go, this many at a time. */
const COMPACT_AT = 1024;

/** A queue of calls. */
export class PendingCalls {
  #calls: Call[] = [];
  #head = 0;

  get length(): number {
    return this.#calls.length - this.#head;
  }

  push(call: Call): void {
    this.#calls.push(call);
  }

  /** The longest waiting call, taken out. */
  shift(): Call | undefined {
    const call = this.#calls[this.#head];
    if (call === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#calls.length) {
      this.#calls = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT) {
      this.#calls.splice(0, this.#head);
      this.#head = 0;
    }
    return call;
  }

  /** The longest waiting call, settled or not: the next reply is its. */
  oldestSent(): Call | undefined {
    return this.#calls[this.#head];
  }

  /** The longest waiting call that is not settled yet. */
  oldest(): Call | undefined {
    for (let at = this.#head; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call !== undefined && !call.settled) return call;
    }
    return undefined;
  }

  /** The next deadline among calls not settled, infinite when there is none. O(calls). */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let at = this.#head; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call !== undefined && !call.settled && call.deadlineMs < next) next = call.deadlineMs;
    }
    return next;
  }

  /** Settles what is due by `nowMs`; returns how many that were. O(calls). */
  expire(nowMs: number, error: StoreError): number {
    let expired = 0;
    for (let at = this.#head; at < this.#calls.length; at++) {
      const call = this.#calls[at];
      if (call === undefined || call.settled || call.deadlineMs > nowMs) continue;
      call.settled = true;
      call.reject(error);
      expired++;
    }
    return expired;
  }

  /** Settles all, and forgets them. */
  fail(error: StoreError): void {
    const calls = this.#calls.slice(this.#head);
    this.#calls = [];
    this.#head = 0;
    for (const call of calls) {
      if (call.settled) continue;
      call.settled = true;
      call.reject(error);
    }
  }
}
