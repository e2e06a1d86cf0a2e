/**
 * What somebody has seen: the position in the log up to which their next answers must reach.
 *
 * A commit's position is learned just after it, without keeping the writer waiting; who reads next waits for it. Where it could not be
 * learned, reads go to the primary until a later one is known, for that covers the earlier.
 */
import { formatLsn, parseLsn } from "../pgwire/index.ts";

/** "primary": the position is not known, and only the primary is sure to have it. */
export type Floor = bigint | "primary";

/** One session's causality. */
export class Causality {
  #floor: bigint;
  /** Number of the last commit, of the last whose position is known, and of the last whose position was lost. */
  #commits = 0;
  #lost = 0;
  readonly #pending = new Set<Promise<void>>();

  /** `token`: what `token()` gave, here or elsewhere. @throws TypeError when it is none. */
  constructor(token?: string) {
    const floor = token === undefined || token === "" ? 0n : parseLsn(token);
    if (floor === undefined) throw new TypeError(`after: "${token}" is no token; it looks like "0/16B3748"`);
    this.#floor = floor;
  }

  /** A commit was acknowledged; its position comes. */
  committed(position: Promise<bigint | undefined>): void {
    this.#commits += 1;
    const number = this.#commits;
    const learned = position.then(
      (lsn) => this.#learn(number, lsn),
      () => this.#learn(number, undefined),
    );
    this.#pending.add(learned);
    void learned.then(() => this.#pending.delete(learned));
  }

  #learn(number: number, lsn: bigint | undefined): void {
    if (lsn === undefined) {
      this.#lost = Math.max(this.#lost, number);
      return;
    }
    if (lsn > this.#floor) this.#floor = lsn;
    // It was asked for after that commit, hence lies behind all commits before it.
    if (number > this.#lost) this.#lost = 0;
  }

  /** The position that an answer must hold now; waits for those that are on their way. */
  floor(): Floor | Promise<Floor> {
    return this.#pending.size === 0 ? this.#now() : Promise.all(this.#pending).then(() => this.#now());
  }

  #now(): Floor {
    return this.#lost > 0 ? "primary" : this.#floor;
  }

  /** The position as text, for another process or a cookie; "" when nothing was written. Lost positions are not in it. */
  async token(): Promise<string> {
    await Promise.all(this.#pending);
    return this.#floor === 0n ? "" : formatLsn(this.#floor);
  }
}
