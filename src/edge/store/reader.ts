/** Finding objects without a lock and without an allocation: one search and one entry at a time. */
import type { Columns } from "./columns.ts";
import { Entry } from "./entry.ts";
import { type Block, BUCKET_SLOTS, UNIT_WORDS } from "./layout.ts";
import type { Purges } from "./purges.ts";
import { RECORD } from "./record.ts";
import { PURGED } from "./sequence.ts";
import type { Slots } from "./slots.ts";

const NO_KEY = new Uint8Array(0);

export class Reader {
  readonly entry: Entry;
  readonly #words: Int32Array;
  readonly #slots: Slots;
  readonly #columns: Columns;
  readonly #purges: Purges;
  /** The search: the next slot to look at, and what to look for. */
  #bucket = 0;
  #slot: number = BUCKET_SLOTS;
  #hashHi = 0;
  #hashLo = 0;
  #key: Uint8Array = NO_KEY;
  #start = 0;
  #end = 0;

  constructor(block: Block, slots: Slots, columns: Columns, purges: Purges) {
    this.entry = new Entry(block);
    this.#words = block.words;
    this.#slots = slots;
    this.#columns = columns;
    this.#purges = purges;
  }

  /** The first object stored for `key[start, end)`, pinned until `next` or `release`. */
  // oxlint-disable-next-line max-params -- an object for them would be allocated for each request
  find(hashHi: number, hashLo: number, key: Uint8Array, start: number, end: number): Entry | undefined {
    this.#bucket = this.#slots.bucketOf(hashLo);
    this.#slot = 0;
    this.#hashHi = hashHi | 0;
    this.#hashLo = hashLo | 0;
    this.#key = key;
    this.#start = start;
    this.#end = end;
    return this.next();
  }

  /** The next object for the same key. What was purged for good is not shown. */
  next(): Entry | undefined {
    for (; this.#slot < BUCKET_SLOTS; this.#slot++) {
      if (this.#words[this.#bucket + this.#slot] !== this.#hashHi) continue;
      if (!this.pinSlot(this.#bucket + BUCKET_SLOTS + this.#slot) || !this.#isWanted()) continue;
      this.#slot++;
      return this.entry;
    }
    this.release();
    return undefined;
  }

  /** Pins whatever the slot at word `slot` names and shows it. False when it names nothing. */
  pinSlot(slot: number): boolean {
    const pin = this.#columns.cursorPin;
    let unit = this.#words[slot] ?? 0;
    while (unit !== 0) {
      Atomics.store(this.#words, pin, unit);
      const again = Atomics.load(this.#words, slot);
      if (again === unit) {
        this.entry.unit = unit;
        return true;
      }
      unit = again;
    }
    return false;
  }

  /** Lets go of the entry that is shown. */
  release(): void {
    this.#slot = BUCKET_SLOTS;
    this.entry.unit = 0;
    Atomics.store(this.#words, this.#columns.cursorPin, 0);
  }

  /** Shows a record that another pin of this worker protects. */
  show(unit: number): Entry {
    this.#slot = BUCKET_SLOTS;
    Atomics.store(this.#words, this.#columns.cursorPin, unit);
    this.entry.unit = unit;
    return this.entry;
  }

  #isWanted(): boolean {
    const at = this.entry.unit * UNIT_WORDS;
    return (
      this.#words[at + RECORD.hashHi] === this.#hashHi &&
      this.#words[at + RECORD.hashLo] === this.#hashLo &&
      this.entry.keyEquals(this.#key, this.#start, this.#end) &&
      this.#purges.check(this.entry.unit) !== PURGED.hard
    );
  }
}
