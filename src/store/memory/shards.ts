/**
 * The index of a hash table: (hash, reference) in typed arrays, open addressing, linear probing.
 *
 * It is split into shards by the top bits of the hash, so that growing touches one shard and takes less than a millisecond.
 * Within a shard an entry's home is given by the next bits: entries lie in the order of their hashes, whatever the size. A
 * scan's cursor is therefore a hash: what was there from the first call to the last is found, however the table grew or shrank
 * meanwhile.
 */

/** Memory beside the slab, counted. */
export interface Weight {
  bytes: number;
}

/** Empty homes that one step of a scan passes over at least: a database of a few keys is seen in one step. */
const LOOKS_MIN = 4096;

/** Slots of a new shard. */
const SLOTS_MIN = 8;

/** A shard grows at three quarters full, and shrinks below a tenth. */
const FULL_NUMERATOR = 3;
const SPARSE = 10;

/** Words of one slot. */
const SLOT_WORDS = 2;

export class Shards {
  readonly #bits: number;
  readonly #weight: Weight;
  readonly #shards: Int32Array[] = [];
  readonly #counts: Int32Array;

  /** `bits`: how many shards, as a power of two. `weight` counts the bytes. */
  constructor(bits: number, weight: Weight) {
    this.#bits = bits;
    this.#weight = weight;
    this.#counts = new Int32Array(1 << bits);
    for (let shard = 0; shard < 1 << bits; shard++) this.#shards.push(this.#empty(SLOTS_MIN));
  }

  #empty(slots: number): Int32Array {
    this.#weight.bytes += slots * 8;
    return new Int32Array(slots * SLOT_WORDS);
  }

  #dropped(shard: Int32Array | undefined): void {
    this.#weight.bytes -= shard?.byteLength ?? 0;
  }

  get heldBytes(): number {
    return this.#shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  #number(hash: number): number {
    return this.#bits === 0 ? 0 : hash >>> (32 - this.#bits);
  }

  /** The shard of a hash: hash and reference in turn, reference 0 for an empty slot. */
  of(hash: number): Int32Array {
    const shard = this.#shards[this.#number(hash)];
    if (shard === undefined) throw new RangeError("no such shard");
    return shard;
  }

  /** Where in its shard an entry would stand if nothing were in its way. */
  home(hash: number, shard: Int32Array): number {
    const bits = 31 - Math.clz32(shard.length >> 1);
    return ((hash << this.#bits) >>> (32 - bits)) << 1;
  }

  /** Adds an entry. Amortised O(1). */
  add(hash: number, ref: number): void {
    const number = this.#number(hash);
    const count = (this.#counts[number] ?? 0) + 1;
    this.#counts[number] = count;
    let shard = this.of(hash);
    if (count * 8 > shard.length * FULL_NUMERATOR) shard = this.#rebuild(number, shard.length);
    this.#put(shard, hash, ref);
  }

  #put(shard: Int32Array, hash: number, ref: number): void {
    const mask = shard.length - 1;
    let at = this.home(hash, shard);
    while (shard[at + 1] !== 0) at = (at + SLOT_WORDS) & mask;
    shard[at] = hash;
    shard[at + 1] = ref;
  }

  /** Makes a shard anew with so many slots. */
  #rebuild(number: number, slots: number): Int32Array {
    const old = this.#shards[number] ?? new Int32Array(0);
    const shard = this.#empty(slots);
    this.#dropped(old);
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      const ref = old[at + 1] ?? 0;
      if (ref !== 0) this.#put(shard, old[at] ?? 0, ref);
    }
    this.#shards[number] = shard;
    return shard;
  }

  /** Empties the slot at `place` of a shard. Entries behind move up, so that no gap comes between them and their home. */
  remove(shard: Int32Array, place: number): void {
    const mask = shard.length - 1;
    const number = this.#number(shard[place] ?? 0);
    let at = place;
    for (let next = (at + SLOT_WORDS) & mask; shard[next + 1] !== 0; next = (next + SLOT_WORDS) & mask) {
      const home = this.home(shard[next] ?? 0, shard);
      if (((next - home) & mask) < ((next - at) & mask)) continue;
      shard[at] = shard[next] ?? 0;
      shard[at + 1] = shard[next + 1] ?? 0;
      at = next;
    }
    shard[at] = 0;
    shard[at + 1] = 0;
    const count = (this.#counts[number] ?? 0) - 1;
    this.#counts[number] = count;
    const slots = shard.length >> 1;
    if (slots > SLOTS_MIN && count * SPARSE < slots) this.#rebuild(number, slots >> 1);
  }

  clear(): void {
    for (const [number, shard] of this.#shards.entries()) {
      this.#dropped(shard);
      this.#shards[number] = this.#empty(SLOTS_MIN);
    }
    this.#counts.fill(0);
  }

  /** Not to be used afterwards. */
  dispose(): void {
    for (const shard of this.#shards.splice(0)) this.#dropped(shard);
  }

  /** Calls `visit` for every entry. Nothing may be added or removed meanwhile. */
  each(visit: (ref: number) => void): void {
    for (const shard of this.#shards) {
      for (let at = 1; at < shard.length; at += SLOT_WORDS) {
        const ref = shard[at] ?? 0;
        if (ref !== 0) visit(ref);
      }
    }
  }

  /** See `Dict.scan`. */
  scan(cursor: number, count: number, visit: (ref: number) => void): number {
    let position = cursor >>> 0;
    let visited = 0;
    // Empty homes count a little, so that a sparse table does not hold everybody up.
    const looksMax = Math.max(LOOKS_MIN, count * 10);
    for (let looked = 0; visited < count && looked < looksMax; looked++) {
      const shard = this.of(position | 0);
      const bits = 31 - Math.clz32(shard.length >> 1);
      visited += this.#visitHome(shard, this.home(position | 0, shard), visit);
      const step = 2 ** (32 - this.#bits - bits);
      position = Math.floor(position / step) * step + step;
      if (position >= 2 ** 32) return 0;
    }
    return position;
  }

  /** Visits the entries whose home this is. */
  #visitHome(shard: Int32Array, home: number, visit: (ref: number) => void): number {
    const mask = shard.length - 1;
    let visited = 0;
    for (let at = home; ; at = (at + SLOT_WORDS) & mask) {
      const ref = shard[at + 1] ?? 0;
      if (ref === 0) return visited;
      if (this.home(shard[at] ?? 0, shard) !== home) continue;
      visit(ref);
      visited++;
    }
  }

  /** Some entry, by a number from 0 up to 1. There must be one. Nearly uniform. */
  random(draw: number): number {
    let number = Math.floor(draw * this.#shards.length);
    const rest = draw * this.#shards.length - number;
    while (this.#counts[number] === 0) number = (number + 1) % this.#shards.length;
    const shard = this.#shards[number] ?? new Int32Array(2);
    const mask = shard.length - 1;
    let at = Math.floor(rest * (shard.length >> 1)) * SLOT_WORDS;
    while (shard[at + 1] === 0) at = (at + SLOT_WORDS) & mask;
    return shard[at + 1] ?? 0;
  }
}
