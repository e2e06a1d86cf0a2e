/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): a small queue for what is new, a main
 * queue for what was used again, and the memory of what the small one threw out.
 *
 * Queues hold (database, hash of the key, number), not references: an entry moves when its value grows, its number stays. What
 * was deleted stays in the queue until its turn, or until the queue is twice as long as it should be.
 */

import type { Victim } from "./eviction.ts";
import type { Keyspace } from "./keyspace.ts";

/** Share of the keys that the small queue may hold. */
const SMALL_SHARE = 0.1;

/** Uses after which a key moves from small to main, as in the paper. */
const USES_TO_MAIN = 2;

/** Numbers of entries are 30 bits: two more hold the uses. */
const NUMBER_MASK = 0x3fff_ffff;

/** Steps before one gives up and takes what comes: every key of main may have been used three times. */
const STEPS_MAX = 4096;

/** Dead places that a queue may hold before it is cleaned. */
const SLACK = 1024;

/** Words of one place. */
const WORDS = 3;

/** A ring of places that grows. */
class Places {
  length = 0;
  #words: Int32Array = new Int32Array(1024 * WORDS);
  #head = 0;
  // The place that was taken last.
  database = 0;
  hash = 0;
  number = 0;

  get heldBytes(): number {
    return this.#words.byteLength;
  }

  push(database: number, hash: number, number: number): void {
    if (this.length * WORDS === this.#words.length) this.#grow();
    const at = ((this.#head + this.length++) * WORDS) % this.#words.length;
    this.#words[at] = database;
    this.#words[at + 1] = hash;
    this.#words[at + 2] = number;
  }

  shift(): boolean {
    if (this.length === 0) return false;
    const at = this.#head * WORDS;
    this.database = this.#words[at] ?? 0;
    this.hash = this.#words[at + 1] ?? 0;
    this.number = this.#words[at + 2] ?? 0;
    this.#head = (this.#head + 1) % (this.#words.length / WORDS);
    this.length--;
    return true;
  }

  #grow(): void {
    const larger = new Int32Array(this.#words.length * 2);
    const first = this.#words.subarray(this.#head * WORDS);
    larger.set(first);
    larger.set(this.#words.subarray(0, this.#head * WORDS), first.length);
    this.#words = larger;
    this.#head = 0;
  }
}

export class S3Fifo {
  readonly #small = new Places();
  readonly #main = new Places();
  /** By hash: which key of this hash went last, so that it is known when it comes back. */
  #ghost = new Int32Array(1024);
  #next = 1;
  #cleanAt = SLACK;
  readonly #spaces: () => readonly Keyspace[];

  constructor(spaces: () => readonly Keyspace[]) {
    this.#spaces = spaces;
  }

  get heldBytes(): number {
    return this.#small.heldBytes + this.#main.heldBytes + this.#ghost.byteLength;
  }

  /** A new key: to the small queue, or to main when it was thrown out of small not long ago. Call it right after `find`. */
  add(space: Keyspace, ref: number): void {
    const { dict } = space;
    const number = this.#next++ & NUMBER_MASK;
    dict.setUsed(ref, number << 2);
    const hash = dict.hashOf(ref);
    const place = hash & (this.#ghost.length - 1);
    const returns = this.#ghost[place] === (hash | 1);
    if (returns) this.#ghost[place] = 0;
    (returns ? this.#main : this.#small).push(space.index, hash, number);
    this.#clean();
  }

  /** Dead places are thrown out before they are more than the living. Amortised O(1). */
  #clean(): void {
    if (this.#small.length + this.#main.length < this.#cleanAt) return;
    for (const queue of [this.#small, this.#main]) {
      for (let left = queue.length; left > 0; left--) {
        queue.shift();
        const space = this.#spaces().find(({ index }) => index === queue.database);
        if (space !== undefined && space.dict.byNumber(queue.hash, queue.number) !== 0)
          queue.push(queue.database, queue.hash, queue.number);
      }
    }
    this.#cleanAt = 2 * (this.#small.length + this.#main.length) + SLACK;
  }

  victim(): Victim | undefined {
    const spaces = this.#spaces();
    const keys = spaces.reduce((sum, { size }) => sum + size, 0);
    if (this.#ghost.length < keys) this.#ghost = new Int32Array(2 ** Math.ceil(Math.log2(keys)));
    for (let step = 0; step < STEPS_MAX; step++) {
      const fromSmall = this.#small.length > keys * SMALL_SHARE || this.#main.length === 0;
      const queue = fromSmall ? this.#small : this.#main;
      if (!queue.shift()) return undefined;
      const space = spaces.find(({ index }) => index === queue.database);
      const ref = space?.dict.byNumber(queue.hash, queue.number) ?? 0;
      if (space === undefined || ref === 0) continue;
      const used = space.dict.used(ref);
      const uses = used & 3;
      const isLast = step === STEPS_MAX - 1;
      if (fromSmall && uses >= USES_TO_MAIN && !isLast) {
        space.dict.setUsed(ref, used & ~3);
        this.#main.push(queue.database, queue.hash, queue.number);
      } else if (!fromSmall && uses > 0 && !isLast) {
        space.dict.setUsed(ref, used - 1);
        this.#main.push(queue.database, queue.hash, queue.number);
      } else {
        if (fromSmall) this.#ghost[queue.hash & (this.#ghost.length - 1)] = queue.hash | 1;
        return { space, ref };
      }
    }
    return undefined;
  }
}
