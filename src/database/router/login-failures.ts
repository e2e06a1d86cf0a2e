/**
 * How often one address may try a wrong password: some at once, then one for each `delayMs`. An answer that comes too early waits; where
 * too many wait already, the next log-in from there is refused before its password is looked at, else guessing would cost nothing.
 *
 * One number for each address is enough: the time until which its failures are paid for (GCRA, as ATM cells are policed).
 */
import { type Clock, parseIp } from "../../base/index.ts";

/** Failures of one address that are answered at once: people mistype, and a deployed service restarts with an old password. */
const AT_ONCE = 10;

/** Answers of one address that may wait: half the time that a log-in may take, at a delay of one second. */
const WAITING_MAX = 30;

/** Addresses that are kept; the one that failed longest ago goes first. */
const ADDRESSES_MAX = 10_000;

export class LoginFailures {
  readonly #clock: Clock;
  #delayMs: number;
  /** By address: when it will have paid for all its failures, the last one first. */
  readonly #paidMs = new Map<string, number>();

  /** `delayMs`: between two failures that are answered, in the long run; 0: as many as come. */
  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Another delay from now on. */
  set delayMs(ms: number) {
    this.#delayMs = ms;
  }

  /** Whether a log-in from there is to be refused unseen. */
  isFlooding(address: string): boolean {
    const delayMs = this.#delayMs;
    return delayMs > 0 && this.#owedMs(keyOf(address)) > (AT_ONCE + WAITING_MAX - 1) * delayMs;
  }

  /** A log-in from there has failed: how long its answer is to wait. */
  failed(address: string): number {
    if (this.#delayMs === 0) return 0;
    const key = keyOf(address);
    const owedMs = this.#owedMs(key) + this.#delayMs;
    this.#paidMs.delete(key);
    this.#paidMs.set(key, this.#clock.nowMs() + owedMs);
    if (this.#paidMs.size > ADDRESSES_MAX) this.#dropOldest();
    return Math.max(0, owedMs - AT_ONCE * this.#delayMs);
  }

  #owedMs(key: string): number {
    return Math.max(0, (this.#paidMs.get(key) ?? 0) - this.#clock.nowMs());
  }

  #dropOldest(): void {
    const [oldest] = this.#paidMs.keys();
    if (oldest !== undefined) this.#paidMs.delete(oldest);
  }
}

/** Whoever has one IPv6 address has a network of them (/64). */
function keyOf(address: string): string {
  if (!address.includes(":")) return address;
  const words = parseIp(address);
  if (words === undefined) return address;
  const isMapped = words[0] === 0 && words[1] === 0;
  return isMapped ? words.join() : `${words[0]},${words[1]}`;
}
