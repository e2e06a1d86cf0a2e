/**
 * The index: buckets of 32 slots, each a tag (the high word of the key's hash) and the location of a record.
 *
 * The low word of the hash names the bucket. Readers take no lock: a location is written last and cleared first,
 * and what a location names is proved by the record itself, so that a torn pair of tag and location is a miss at
 * worst. Records move by one atomic store of the new location. There are no tombstones: a slot is free or not.
 */
import { type Block, BUCKET_SLOTS, BUCKET_WORDS } from "./layout.ts";

export class Slots {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #mask: number;
  readonly buckets: number;

  constructor({ words, layout }: Block) {
    this.#words = words;
    this.#first = layout.index;
    this.buckets = layout.sizes.buckets;
    this.#mask = layout.sizes.buckets - 1;
  }

  /** First word of the bucket for a hash: 32 tags, then 32 locations. */
  bucketOf(hashLo: number): number {
    return this.#first + (hashLo & this.#mask) * BUCKET_WORDS;
  }

  /** Word of the location of slot `slot` of the bucket with this number. */
  locationAt(bucket: number, slot: number): number {
    return this.#first + bucket * BUCKET_WORDS + BUCKET_SLOTS + slot;
  }

  /** The word that holds `unit` in the bucket of this hash, -1 when none does. With 0 as unit: a free one. */
  slotOf(hashLo: number, unit: number): number {
    const from = this.bucketOf(hashLo) + BUCKET_SLOTS;
    for (let at = from; at < from + BUCKET_SLOTS; at++) if (this.#words[at] === unit) return at;
    return -1;
  }

  /** Publishes a record in the free slot at `at`. */
  link(at: number, hashHi: number, unit: number): void {
    this.#words[at - BUCKET_SLOTS] = hashHi;
    Atomics.store(this.#words, at, unit);
  }

  /** The record of the slot at `at` is elsewhere now, or nowhere when `unit` is 0. */
  move(at: number, unit: number): void {
    Atomics.store(this.#words, at, unit);
  }

  clear(): void {
    const end = this.#first + this.buckets * BUCKET_WORDS;
    for (let bucket = this.#first; bucket < end; bucket += BUCKET_WORDS) {
      for (let at = bucket + BUCKET_SLOTS; at < bucket + BUCKET_WORDS; at++) {
        if (this.#words[at] !== 0) Atomics.store(this.#words, at, 0);
      }
    }
  }
}
