/**
 * How long to wait before a failed rejoin is tried again. Each may begin a base backup, which ends a segment of the primary's log: tried five
 * times a second against a disk that is full, it would fill the primary's with log that nobody has taken (16 MiB each).
 */
import type { ServerOutcome } from "../../failover/state.ts";

const FIRST_MS = 250;
const LONGEST_MS = 10_000;

export class Patience {
  #failures = 0;

  /** The wait after this outcome, ms: twice that of before while nothing works. */
  waitAfter(outcome: ServerOutcome): number {
    if (outcome.kind !== "failed") {
      this.#failures = 0;
      return 0;
    }
    this.#failures += 1;
    return Math.min(FIRST_MS * 2 ** (this.#failures - 1), LONGEST_MS);
  }
}
