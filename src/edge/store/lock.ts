/**
 * A lock of one word, held by the process whose number it contains.
 *
 * Who finds it taken spins for some microseconds and then goes on without: nobody waits for long in a gateway. A
 * lock whose owner is dead is taken over, and the taker is told, since what it guards may be half done.
 */
import type { Columns } from "./columns.ts";

/** Looks at a taken lock before giving up: about 20 microseconds, a hundred times what most holders need. */
const SPINS = 4000;

/** How an attempt ended; "inherited" holds the lock too, but its former owner died with it. */
export type Attempt = "taken" | "inherited" | "busy";

/** What a lock has to know of its owners. */
export type LockOwners = Pick<Columns, "owner" | "isOwnerAlive">;

export class Lock {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #columns: LockOwners;

  constructor(words: Int32Array, at: number, columns: LockOwners) {
    this.#words = words;
    this.#at = at;
    this.#columns = columns;
  }

  acquire(): Attempt {
    const mine = this.#columns.owner;
    let found = 0;
    for (let spin = 0; spin < SPINS; spin++) {
      // Looking costs the owner less than trying.
      found = Atomics.load(this.#words, this.#at);
      if (found === 0) found = Atomics.compareExchange(this.#words, this.#at, 0, mine);
      if (found === 0) return "taken";
    }
    if (this.#columns.isOwnerAlive(found)) return "busy";
    return Atomics.compareExchange(this.#words, this.#at, found, mine) === found ? "inherited" : "busy";
  }

  release(): void {
    Atomics.store(this.#words, this.#at, 0);
  }
}
