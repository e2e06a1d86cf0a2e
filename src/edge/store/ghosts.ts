/**
 * Ghosts: fingerprints of objects that left the small ring without being asked for again.
 *
 * An object that comes back while its ghost is remembered goes straight to the main ring. The queue of the S3-FIFO
 * paper is replaced by a clock that counts the units that left: a ghost counts while fewer units than the main ring
 * has left after it. Eight ways to a bucket; a full bucket forgets its oldest.
 */
import { type Block, GHOST_WAYS, HEADER } from "./layout.ts";

export class Ghosts {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #mask: number;
  readonly #units: number;

  constructor({ words, layout }: Block) {
    this.#words = words;
    this.#first = layout.ghosts;
    this.#mask = layout.ghostBuckets - 1;
    this.#units = layout.sizes.mainUnits;
  }

  /** Remembers an object of `units` units that left. */
  add(hashHi: number, hashLo: number, units: number): void {
    const clock = (this.#clock + units) | 0;
    this.#words[HEADER.ghostClock] = clock;
    const from = this.bucketOf(hashLo);
    let chosen = from;
    let oldest = -1;
    for (let at = from; at < from + GHOST_WAYS * 2; at += 2) {
      const mark = this.#words[at] ?? 0;
      const age = mark === 0 || mark === (hashHi | 1) ? 0xffff_ffff : this.#ageAt(at);
      if (age > oldest) {
        oldest = age;
        chosen = at;
      }
    }
    this.#words[chosen] = hashHi | 1;
    this.#words[chosen + 1] = clock;
  }

  /** Whether the object is remembered; if so it is forgotten. */
  take(hashHi: number, hashLo: number): boolean {
    const from = this.bucketOf(hashLo);
    for (let at = from; at < from + GHOST_WAYS * 2; at += 2) {
      if (this.#words[at] !== (hashHi | 1)) continue;
      const counts = this.#ageAt(at) <= this.#units;
      this.#words[at] = 0;
      return counts;
    }
    return false;
  }

  get #clock(): number {
    return this.#words[HEADER.ghostClock] ?? 0;
  }

  #ageAt(at: number): number {
    return (this.#clock - (this.#words[at + 1] ?? 0)) >>> 0;
  }

  bucketOf(hashLo: number): number {
    return this.#first + (hashLo & this.#mask) * GHOST_WAYS * 2;
  }
}
