/**
 * A hash table over blocks of a slab. One entry is one block: header, key, value. The same table holds a whole database, and
 * the fields of one large hash.
 *
 *   header (16 bytes): kind and flags | length of the key | length of the value | when it was used
 *   then: when it expires (8 bytes, only if it does) | key | value
 *
 * The index is open addressing with linear probing in typed arrays of (hash, reference). It is split into shards by the top
 * bits of the hash, so that growing touches one shard and takes less than a millisecond. Within a shard an entry's home is
 * given by the next bits: entries lie in the order of their hashes, whatever the size. A scan's cursor is therefore a hash:
 * what was there from the first call to the last is found, however the table grew or shrank meanwhile.
 */
import { type HashSecret, halfSipHash } from "./siphash.ts";
import type { Slab } from "./slab.ts";

/** Memory beside the slab, counted. */
export interface Weight {
  bytes: number;
}

const HEADER_BYTES = 16;
const EXPIRY_BYTES = 8;

/**
 * Flags in the second byte of the header: it expires; its encoding is told as raw; a snapshot has it; it is told as text even
 * if it is a number.
 */
export const FLAG = { expires: 1, raw: 2, dumped: 4, text: 8 } as const;

/** Slots of a new shard. */
const SLOTS_MIN = 8;

/** A shard grows at three quarters full, and shrinks below a tenth. */
const FULL_NUMERATOR = 3;
const SPARSE = 10;

export class Dict {
  readonly slab: Slab;
  size = 0;
  /** Entries that expire. */
  expiring = 0;
  /** The hash of the key that was asked for last. */
  hash = 0;

  // The entry that was opened last: its memory, and where in it key and value lie.
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  valueStart = 0;
  valueEnd = 0;

  readonly #secret: HashSecret;
  readonly #shardBits: number;
  readonly #weight: Weight;
  readonly #shards: Int32Array[] = [];
  readonly #counts: Int32Array;

  /** `weight` counts the bytes of the index. */
  constructor(slab: Slab, secret: HashSecret, shardBits: number, weight: Weight) {
    this.slab = slab;
    this.#weight = weight;
    this.#secret = secret;
    this.#shardBits = shardBits;
    this.#counts = new Int32Array(1 << shardBits);
    for (let shard = 0; shard < 1 << shardBits; shard++) this.#shards.push(this.#emptyShard(SLOTS_MIN));
  }

  #emptyShard(slots: number): Int32Array {
    this.#weight.bytes += slots * 8;
    return new Int32Array(slots * 2);
  }

  #dropped(shard: Int32Array | undefined): void {
    this.#weight.bytes -= (shard?.length ?? 0) * 4;
  }

  /** Bytes of index and entries. O(entries). */
  get heldBytes(): number {
    let bytes = 0;
    for (const shard of this.#shards) bytes += shard.byteLength;
    this.each((ref) => {
      bytes += this.slab.capacity(ref);
    });
    return bytes;
  }

  // --- finding ------------------------------------------------------------------------------------------------

  /** The entry with this key, opened, or 0. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = halfSipHash(bytes, start, end, this.#secret);
    this.hash = hash;
    const shard = this.#shardOf(hash);
    const mask = shard.length - 1;
    for (let at = this.#home(hash, shard); ; at = (at + 2) & mask) {
      const ref = shard[at + 1] ?? 0;
      if (ref === 0) return 0;
      if (shard[at] === hash && this.#isKey(ref, bytes, start, end)) return ref;
    }
  }

  /** Opens the entry and says whether its key is this. */
  #isKey(ref: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.open(ref);
    const length = end - start;
    const mine = this.bytes;
    const from = this.keyStart;
    if (this.valueStart - from !== length) return false;
    for (let i = 0; i < length; i++) if (mine[from + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Sets `bytes`, `keyStart`, `valueStart` and `valueEnd` to those of an entry. */
  open(ref: number): void {
    const { slab } = this;
    const words = slab.words(ref);
    const offset = slab.offset(ref);
    const word = offset >> 2;
    this.bytes = slab.bytes(ref);
    const flags = (words[word] ?? 0) >> 8;
    this.keyStart = offset + HEADER_BYTES + (flags & FLAG.expires ? EXPIRY_BYTES : 0);
    this.valueStart = this.keyStart + (words[word + 1] ?? 0);
    this.valueEnd = this.valueStart + (words[word + 2] ?? 0);
  }

  #shardOf(hash: number): Int32Array {
    const shard = this.#shards[this.#shardBits === 0 ? 0 : hash >>> (32 - this.#shardBits)];
    if (shard === undefined) throw new RangeError("no such shard");
    return shard;
  }

  /** Where an entry would stand if nothing were in its way: twice the slot. */
  #home(hash: number, shard: Int32Array): number {
    const bits = 31 - Math.clz32(shard.length >> 1);
    return ((hash << this.#shardBits) >>> (32 - bits)) << 1;
  }

  // --- header -------------------------------------------------------------------------------------------------

  /** What kind of value it is: a number that means something to the owner. */
  kind(ref: number): number {
    return (this.slab.words(ref)[this.slab.offset(ref) >> 2] ?? 0) & 0xff;
  }

  setKind(ref: number, kind: number): void {
    const words = this.slab.words(ref);
    const word = this.slab.offset(ref) >> 2;
    words[word] = ((words[word] ?? 0) & ~0xff) | kind;
  }

  has(ref: number, flag: number): boolean {
    return ((this.slab.words(ref)[this.slab.offset(ref) >> 2] ?? 0) & (flag << 8)) !== 0;
  }

  /** Those flags that belong to the value: they go where it goes. */
  marks(ref: number): number {
    return ((this.slab.words(ref)[this.slab.offset(ref) >> 2] ?? 0) >> 8) & (FLAG.raw | FLAG.text);
  }

  setFlag(ref: number, flag: number, on: boolean): void {
    const words = this.slab.words(ref);
    const word = this.slab.offset(ref) >> 2;
    words[word] = on ? (words[word] ?? 0) | (flag << 8) : (words[word] ?? 0) & ~(flag << 8);
  }

  /** A word about how it was used; for eviction. */
  used(ref: number): number {
    return this.slab.words(ref)[(this.slab.offset(ref) >> 2) + 3] ?? 0;
  }

  setUsed(ref: number, used: number): void {
    this.slab.words(ref)[(this.slab.offset(ref) >> 2) + 3] = used;
  }

  /** When it expires, 0 for never. */
  expiry(ref: number): number {
    if (!this.has(ref, FLAG.expires)) return 0;
    const words = this.slab.words(ref);
    const word = (this.slab.offset(ref) + HEADER_BYTES) >> 2;
    return (words[word + 1] ?? 0) * 2 ** 32 + ((words[word] ?? 0) >>> 0);
  }

  /** Changes when it expires; 0 for never. Returns the entry, which may have moved. */
  setExpiry(ref: number, atMs: number): number {
    const moved = (atMs !== 0) === this.has(ref, FLAG.expires) ? ref : this.#withExpiry(ref, atMs !== 0);
    if (atMs !== 0) {
      const words = this.slab.words(moved);
      const word = (this.slab.offset(moved) + HEADER_BYTES) >> 2;
      words[word] = atMs | 0;
      words[word + 1] = Math.floor(atMs / 2 ** 32);
    }
    return moved;
  }

  #withExpiry(ref: number, expires: boolean): number {
    this.open(ref);
    const { bytes, keyStart, valueStart, valueEnd } = this;
    const moved = this.#move(ref, valueEnd - keyStart, expires);
    this.open(moved);
    this.bytes.set(bytes.subarray(keyStart, valueEnd), this.keyStart);
    this.expiring += expires ? 1 : -1;
    const words = this.slab.words(moved);
    const word = this.slab.offset(moved) >> 2;
    words[word + 1] = valueStart - keyStart;
    words[word + 2] = valueEnd - valueStart;
    this.open(moved);
    this.slab.release(ref);
    return moved;
  }

  /** A block with the header of `ref` that the index names in its stead; `ref` is still to be released. */
  #move(ref: number, bodyBytes: number, expires: boolean): number {
    const { slab } = this;
    const at = this.#slotOf(ref);
    const shard = this.#found;
    const moved = slab.allocate(HEADER_BYTES + (expires ? EXPIRY_BYTES : 0) + bodyBytes);
    const from = slab.offset(ref) >> 2;
    const to = slab.offset(moved) >> 2;
    const source = slab.words(ref);
    const target = slab.words(moved);
    const header = source[from] ?? 0;
    target[to] = expires ? header | (FLAG.expires << 8) : header & ~(FLAG.expires << 8);
    const words = expires ? 6 : 4;
    for (let word = 1; word < words; word++) target[to + word] = source[from + word] ?? 0;
    shard[at + 1] = moved;
    return moved;
  }

  /** The hash of an entry's key. */
  hashOf(ref: number): number {
    this.open(ref);
    return halfSipHash(this.bytes, this.keyStart, this.valueStart, this.#secret);
  }

  /** The entry with this hash whose word about its use holds this number above the lowest two bits, or 0. */
  byNumber(hash: number, number: number): number {
    const shard = this.#shardOf(hash);
    const mask = shard.length - 1;
    for (let at = this.#home(hash, shard); ; at = (at + 2) & mask) {
      const ref = shard[at + 1] ?? 0;
      if (ref === 0 || (shard[at] === hash && this.used(ref) >>> 2 === number)) return ref;
    }
  }

  #found: Int32Array = new Int32Array(0);

  /** The place of an entry in the index; sets `#found` to its shard. */
  #slotOf(ref: number): number {
    this.open(ref);
    const hash = halfSipHash(this.bytes, this.keyStart, this.valueStart, this.#secret);
    const shard = this.#shardOf(hash);
    const mask = shard.length - 1;
    this.#found = shard;
    for (let at = this.#home(hash, shard); ; at = (at + 2) & mask) {
      if (shard[at + 1] === ref) return at;
      if (shard[at + 1] === 0) throw new RangeError(`entry ${ref} is not in the index`);
    }
  }

  // --- changing -----------------------------------------------------------------------------------------------

  /**
   * Adds an entry for a key that `find` did not find, with room for `valueLength` bytes; opened, value not set. Call it right
   * after `find`.
   */
  insert(bytes: Uint8Array, start: number, end: number, valueLength: number): number {
    const { hash } = this;
    const length = end - start;
    const ref = this.slab.allocate(HEADER_BYTES + length + valueLength);
    const words = this.slab.words(ref);
    const word = this.slab.offset(ref) >> 2;
    words[word] = 0;
    words[word + 1] = length;
    words[word + 2] = valueLength;
    words[word + 3] = 0;
    this.open(ref);
    copyBytes(bytes, start, end, this.bytes, this.keyStart);
    this.#index(hash, ref);
    this.size++;
    return ref;
  }

  #index(hash: number, ref: number): void {
    const number = this.#shardBits === 0 ? 0 : hash >>> (32 - this.#shardBits);
    const count = (this.#counts[number] ?? 0) + 1;
    this.#counts[number] = count;
    let shard = this.#shardOf(hash);
    if (count * 8 > shard.length * FULL_NUMERATOR) shard = this.#rebuild(number, shard.length);
    this.#put(shard, hash, ref);
  }

  #put(shard: Int32Array, hash: number, ref: number): void {
    const mask = shard.length - 1;
    let at = this.#home(hash, shard);
    while (shard[at + 1] !== 0) at = (at + 2) & mask;
    shard[at] = hash;
    shard[at + 1] = ref;
  }

  /** Makes a shard anew with so many slots. */
  #rebuild(number: number, slots: number): Int32Array {
    const old = this.#shards[number] ?? new Int32Array(0);
    const shard = this.#emptyShard(slots);
    this.#dropped(old);
    for (let at = 0; at < old.length; at += 2) {
      const ref = old[at + 1] ?? 0;
      if (ref !== 0) this.#put(shard, old[at] ?? 0, ref);
    }
    this.#shards[number] = shard;
    return shard;
  }

  /**
   * Makes room for a value of another length: what was there stays, as far as it fits. Opened; returns the entry, which may
   * have moved.
   */
  resize(ref: number, valueLength: number): number {
    this.open(ref);
    const { slab } = this;
    const offset = slab.offset(ref);
    const needed = this.valueStart - offset + valueLength;
    const capacity = slab.capacity(ref);
    // A block that would be twice too large is exchanged for a smaller one.
    if (needed <= capacity && (capacity <= 32 || needed * 2 > capacity)) {
      slab.words(ref)[(offset >> 2) + 2] = valueLength;
      this.valueEnd = this.valueStart + valueLength;
      return ref;
    }
    return this.#exchange(ref, valueLength);
  }

  #exchange(ref: number, valueLength: number): number {
    const { bytes, keyStart, valueStart, valueEnd } = this;
    const kept = Math.min(valueEnd, valueStart + valueLength);
    const moved = this.#move(ref, valueStart - keyStart + valueLength, this.has(ref, FLAG.expires));
    this.slab.words(moved)[(this.slab.offset(moved) >> 2) + 2] = valueLength;
    this.open(moved);
    copyBytes(bytes, keyStart, kept, this.bytes, this.keyStart);
    this.slab.release(ref);
    return moved;
  }

  /** Takes an entry out and gives its block back. */
  remove(ref: number): void {
    if (this.has(ref, FLAG.expires)) this.expiring--;
    let at = this.#slotOf(ref);
    const shard = this.#found;
    const mask = shard.length - 1;
    const number = this.#shardBits === 0 ? 0 : (shard[at] ?? 0) >>> (32 - this.#shardBits);
    // Entries behind that are not at home move up, so that no gap comes between them and their home.
    for (let next = (at + 2) & mask; shard[next + 1] !== 0; next = (next + 2) & mask) {
      const home = this.#home(shard[next] ?? 0, shard);
      if (((next - home) & mask) < ((next - at) & mask)) continue;
      shard[at] = shard[next] ?? 0;
      shard[at + 1] = shard[next + 1] ?? 0;
      at = next;
    }
    shard[at] = 0;
    shard[at + 1] = 0;
    this.slab.release(ref);
    this.size--;
    const count = (this.#counts[number] ?? 0) - 1;
    this.#counts[number] = count;
    const slots = shard.length >> 1;
    if (slots > SLOTS_MIN && count * SPARSE < slots) this.#rebuild(number, slots >> 1);
  }

  /** Gives all blocks back. */
  clear(): void {
    this.each((ref) => this.slab.release(ref));
    for (let shard = 0; shard < this.#shards.length; shard++) {
      this.#dropped(this.#shards[shard]);
      this.#shards[shard] = this.#emptyShard(SLOTS_MIN);
    }
    this.#counts.fill(0);
    this.size = 0;
    this.expiring = 0;
  }

  /** Gives up all memory, the index included. Not to be used afterwards. */
  dispose(): void {
    this.clear();
    for (const shard of this.#shards) this.#dropped(shard);
  }

  // --- walking ------------------------------------------------------------------------------------------------

  /** Calls `visit` for every entry. Nothing may be added or removed meanwhile. */
  each(visit: (ref: number) => void): void {
    for (const shard of this.#shards) {
      for (let at = 1; at < shard.length; at += 2) {
        const ref = shard[at] ?? 0;
        if (ref !== 0) visit(ref);
      }
    }
  }

  /**
   * Calls `visit` for entries from `cursor` (0 = the beginning) on, about `count` of them, and returns the next cursor, 0 at
   * the end. `visit` must not add or remove.
   */
  scan(cursor: number, count: number, visit: (ref: number) => void): number {
    const shardBits = this.#shardBits;
    let position = cursor >>> 0;
    let visited = 0;
    // Empty homes count a little, so that a sparse table does not hold everybody up.
    for (let looked = 0; visited < count && looked < count * 10 + 10; looked++) {
      const shard = this.#shardOf(position | 0);
      const bits = 31 - Math.clz32(shard.length >> 1);
      visited += this.#visitHome(shard, this.#home(position | 0, shard), visit);
      const step = 2 ** (32 - shardBits - bits);
      position = Math.floor(position / step) * step + step;
      if (position >= 2 ** 32) return 0;
    }
    return position;
  }

  /** Visits the entries whose home this is. */
  #visitHome(shard: Int32Array, home: number, visit: (ref: number) => void): number {
    const mask = shard.length - 1;
    let visited = 0;
    for (let at = home; ; at = (at + 2) & mask) {
      const ref = shard[at + 1] ?? 0;
      if (ref === 0) return visited;
      if (this.#home(shard[at] ?? 0, shard) !== home) continue;
      visit(ref);
      visited++;
    }
  }

  /** Some entry, by a number from 0 up to 1; 0 when there is none. Nearly uniform. */
  random(draw: number): number {
    if (this.size === 0) return 0;
    let number = Math.floor(draw * this.#shards.length);
    const rest = draw * this.#shards.length - number;
    while (this.#counts[number] === 0) number = (number + 1) % this.#shards.length;
    const shard = this.#shards[number] ?? new Int32Array(2);
    const mask = shard.length - 1;
    let at = Math.floor(rest * (shard.length >> 1)) * 2;
    while (shard[at + 1] === 0) at = (at + 2) & mask;
    return shard[at + 1] ?? 0;
  }
}

/** Below this a loop beats the making of a view. */
const SHORT_COPY = 64;

/** Copies `from[start, end)` to `at`; the two may overlap only when `at` is not inside. Returns where it ends. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
): number {
  if (end - start <= SHORT_COPY) {
    for (let i = start; i < end; i++) into[at + i - start] = from[i] ?? 0;
  } else {
    into.set(from.subarray(start, end), at);
  }
  return at + end - start;
}
