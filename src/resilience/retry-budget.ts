/**
 * A retry budget: retries are a share of requests, so that an outage is not answered with a storm of them.
 *
 * Finagle's form (RetryBudget, com.twitter.finagle.service): each request puts one token in, each retry takes 1/ratio
 * out, both are forgotten after ten seconds. A reserve allows a few retries a second to a service with hardly any
 * requests. Time is an argument; a clock that goes backwards changes nothing.
 */

/** How much may be retried. */
export interface RetryBudgetPolicy {
  /** Retries per request, 0..1: 0.2 allows one for every five requests. */
  readonly ratio: number;
  /** Retries per second that are allowed whatever the number of requests. */
  readonly perSecond: number;
}

/** How long a request counts, Finagle's: long enough to be smooth, short enough to follow the load. */
const TTL_SECONDS = 10;

/** The budget of one target group. */
export class RetryBudget {
  readonly #cost: number;
  readonly #reserve: number;
  /** Tokens by second: put in less taken out. */
  readonly #seconds = new Float64Array(TTL_SECONDS);
  #balance = 0;
  #second = -Infinity;

  constructor({ ratio, perSecond }: RetryBudgetPolicy) {
    this.#cost = ratio > 0 ? 1 / ratio : 1;
    this.#reserve = perSecond * TTL_SECONDS * this.#cost;
    this.#deposit = ratio > 0 ? 1 : 0;
  }

  readonly #deposit: number;

  /** A request begins. Allocates nothing. */
  deposit(nowMs: number): void {
    this.#add(this.#deposit, nowMs);
  }

  /** Whether one more retry is within the budget; if so it is taken out. */
  withdraw(nowMs: number): boolean {
    this.#add(0, nowMs);
    // Sums of many small numbers drift; a millionth of a token is no retry.
    if (this.#balance + this.#reserve < this.#cost - 1e-6) return false;
    this.#add(-this.#cost, nowMs);
    return true;
  }

  #add(tokens: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second > this.#second) this.#forget(second);
    const at = this.#second % TTL_SECONDS;
    this.#seconds[at] = (this.#seconds[at] ?? 0) + tokens;
    this.#balance += tokens;
  }

  /** Clears the seconds that are over, and begins `second`. */
  #forget(second: number): void {
    const from = Math.max(this.#second + 1, second - TTL_SECONDS + 1);
    for (let passed = from; passed <= second; passed++) {
      const at = passed % TTL_SECONDS;
      this.#balance -= this.#seconds[at] ?? 0;
      this.#seconds[at] = 0;
    }
    this.#second = second;
  }
}
