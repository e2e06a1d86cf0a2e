/**
 * The index proper: buckets of 16 slots of 16 bytes, found by the low word of the key's hash.
 *
 *   tag (high word of the hash) | place (segment and unit) | serial's low bits, length class, uses | hash of the vary key
 *
 * Readers take no lock. A writer takes a slot by exchanging its place for a mark, fills in the rest and stores the new
 * place; what a place names is proved by the record on disk, so that a torn slot is a miss at worst. A slot whose
 * serial is not its segment's any more is free: dropping a segment touches none of them.
 */
import { BUCKET_WORDS, type DiskIndex, FORGOTTEN_BITS, UNIT_BITS, WAYS } from "./layout.ts";
import { isLater, type Segments } from "./segments.ts";

/** Place of a slot that is being written. No record begins at unit 0 of a segment. */
const FILLING = 1 << UNIT_BITS;
const UNIT_MASK = (1 << UNIT_BITS) - 1;

const PLACES = WAYS;
const FACTS = WAYS * 2;
const VARIES = WAYS * 3;

/** Buckets that are looked at for an estimate: half a percent off, in less than a millisecond. */
const SAMPLED_BUCKETS = 4096;

/** Bits of the facts below the serial's 16: class (8), whether it is in the list of hits, uses (2). */
const LISTED = 4;
const USES = 3;

/** The place of unit `unit` of the segment in `slot`. */
export function placeOf(slot: number, unit: number): number {
  return (slot << UNIT_BITS) | unit;
}
/** The slot of a place. */
export function slotOf(place: number): number {
  return place >>> UNIT_BITS;
}
/** The unit of a place. */
export function unitOf(place: number): number {
  return place & UNIT_MASK;
}

/** What is entered for an object. */
export interface SlotEntry {
  readonly hashHi: number;
  readonly hashLo: number;
  readonly varyHash: number;
  readonly place: number;
  readonly serial: number;
  readonly lengthClass: number;
}

export class DiskSlots {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #buckets: number;
  readonly #forgotten: number;
  readonly #segments: Segments;

  constructor({ words, layout }: DiskIndex, segments: Segments) {
    this.#words = words;
    this.#first = layout.buckets;
    this.#buckets = layout.sizes.buckets;
    this.#forgotten = layout.forgotten;
    this.#segments = segments;
  }

  /** Words of the slots that may hold the key, the latest segment first. O(16), and allocates only when there are any. */
  find(hashHi: number, hashLo: number): readonly number[] {
    const bucket = this.#bucketOf(hashLo);
    let found: number[] | undefined;
    for (let at = bucket; at < bucket + WAYS; at++) {
      if (this.#words[at] !== (hashHi | 0) || !this.isLive(at)) continue;
      found ??= [];
      found.push(at);
    }
    if (found === undefined) return NONE;
    return found.length === 1
      ? found
      : found.toSorted((a, b) => (isLater(this.#serialAt(a), this.#serialAt(b)) ? -1 : 1));
  }

  /** Whether this variant of the key is there. O(16). */
  has(hashHi: number, hashLo: number, varyHash: number): boolean {
    return this.find(hashHi, hashLo).some((at) => this.#words[at + VARIES] === (varyHash | 0));
  }

  /** The place in the slot at word `at`; 0 when there is none. */
  placeAt(at: number): number {
    const place = Atomics.load(this.#words, at + PLACES);
    return (place & UNIT_MASK) === 0 || place < 0 ? 0 : place;
  }

  /** The length class in the slot at word `at`. */
  classAt(at: number): number {
    return ((this.#words[at + FACTS] ?? 0) >>> 8) & 0xff;
  }

  /** Uses of the object in the slot at word `at` since it was written, 0 to 3. */
  usesAt(at: number): number {
    return (this.#words[at + FACTS] ?? 0) & USES;
  }

  /** Whether the slot names something in the life that its segment is in. */
  isLive(at: number): boolean {
    const place = this.placeAt(at);
    if (place === 0) return false;
    const serial = this.#segments.serialOf(slotOf(place));
    return serial !== 0 && (serial & 0xffff) === (this.#words[at + FACTS] ?? 0) >>> 16;
  }

  /**
   * Enters an object in place of the same one, of nothing, or of the one that was used least. The word of its slot;
   * -1 when `mayReplace` says no to the same one, or others took the slot.
   */
  put(entry: SlotEntry, mayReplace: (at: number) => boolean = always): number {
    const at = this.#choose(entry);
    const isSame = this.#isSame(at, entry) && this.isLive(at);
    if (isSame && !mayReplace(at)) return -1;
    return this.#write(at, Atomics.load(this.#words, at + PLACES), entry, 0) ? at : -1;
  }

  /** Enters a copy of the object that the slot at word `at` names. False when the slot has another one by now. */
  move(at: number, place: number, entry: SlotEntry): boolean {
    return this.#write(at, place, entry, Math.max(0, this.usesAt(at) - 1));
  }

  /** Takes the object at `place` out of the slot at word `at`. */
  clear(at: number, place: number): void {
    Atomics.compareExchange(this.#words, at + PLACES, place, 0);
  }

  /** Takes out the variants of a key, or one of them, and keeps a scan from finding them again. How many there were. */
  forget(hashHi: number, hashLo: number, varyHash?: number): number {
    // Before the slots are looked at: a scan enters first and looks at the bits then.
    if (this.#segments.isScanning) {
      const bit = hashHi & (FORGOTTEN_BITS - 1);
      Atomics.or(this.#words, this.#forgotten + (bit >>> 5), 1 << (bit & 31));
    }
    const found = this.find(hashHi, hashLo).filter(
      (at) => varyHash === undefined || this.#words[at + VARIES] === (varyHash | 0),
    );
    for (const at of found) this.clear(at, this.placeAt(at));
    return found.length;
  }

  /** Counts a use; the first one since it was written puts it into its segment's list. */
  touch(at: number, place: number): void {
    const facts = Atomics.load(this.#words, at + FACTS);
    const uses = Math.min(USES, (facts & USES) + 1);
    const next = (facts & ~USES) | uses | LISTED;
    if (next === facts || this.placeAt(at) !== place) return;
    const isFirst =
      Atomics.compareExchange(this.#words, at + FACTS, facts, next) === facts && (facts & LISTED) === 0;
    if (isFirst) this.#segments.noteHit(slotOf(place), at);
  }

  /** Whether a key, or another one with the same bits, was forgotten since the scan began. */
  wasForgotten(hashHi: number): boolean {
    const bit = hashHi & (FORGOTTEN_BITS - 1);
    return (Atomics.load(this.#words, this.#forgotten + (bit >>> 5)) & (1 << (bit & 31))) !== 0;
  }

  /** The slot of the index that a list of hits names, if it can be one. */
  isSlot(at: number): boolean {
    const from = at - this.#first;
    return from >= 0 && from < this.#buckets * BUCKET_WORDS && from % BUCKET_WORDS < WAYS;
  }

  /** Frees slots that somebody was writing when they died. Only while nobody uses the tier. O(slots). */
  mend(): void {
    for (
      let bucket = this.#first;
      bucket < this.#first + this.#buckets * BUCKET_WORDS;
      bucket += BUCKET_WORDS
    ) {
      for (let at = bucket + PLACES; at < bucket + PLACES + WAYS; at++)
        if (this.#words[at] === FILLING) this.#words[at] = 0;
    }
  }

  /** About how many objects can be found, from a sample of the buckets; exact for small tiers. */
  estimate(): number {
    const step = Math.max(1, Math.floor(this.#buckets / SAMPLED_BUCKETS));
    let live = 0;
    let sampled = 0;
    for (let bucket = 0; bucket < this.#buckets; bucket += step, sampled++)
      live += this.count(bucket, bucket + 1);
    return Math.round((live * this.#buckets) / sampled);
  }

  /** Objects in buckets `[from, to)` that can be found. */
  count(from = 0, to: number = this.#buckets): number {
    let live = 0;
    for (let bucket = from; bucket < to; bucket++) {
      const first = this.#first + bucket * BUCKET_WORDS;
      for (let at = first; at < first + WAYS; at++) if (this.isLive(at)) live++;
    }
    return live;
  }

  /** The slot with the same key and variant; else a free one; else the one least used, the oldest of those. */
  #choose(entry: SlotEntry): number {
    const bucket = this.#bucketOf(entry.hashLo);
    let chosen = bucket;
    let least = Number.POSITIVE_INFINITY;
    for (let at = bucket; at < bucket + WAYS; at++) {
      const isLive = this.isLive(at);
      if (isLive && this.#isSame(at, entry)) return at;
      const isFilling = this.#words[at + PLACES] === FILLING;
      const rank = isLive ? this.usesAt(at) : isFilling ? USES + 1 : -1;
      const isOlder = rank === least && rank >= 0 && isLater(this.#serialAt(chosen), this.#serialAt(at));
      if (rank > least || (rank === least && !isOlder)) continue;
      least = rank;
      chosen = at;
    }
    return chosen;
  }

  #isSame(at: number, { hashHi, varyHash }: SlotEntry): boolean {
    return this.#words[at] === (hashHi | 0) && this.#words[at + VARIES] === (varyHash | 0);
  }

  #write(at: number, before: number, entry: SlotEntry, uses: number): boolean {
    const words = this.#words;
    if (before === FILLING || Atomics.compareExchange(words, at + PLACES, before, FILLING) !== before)
      return false;
    words[at] = entry.hashHi;
    words[at + VARIES] = entry.varyHash;
    Atomics.store(words, at + FACTS, (entry.serial << 16) | (entry.lengthClass << 8) | uses);
    Atomics.store(words, at + PLACES, entry.place);
    return true;
  }

  #serialAt(at: number): number {
    return this.#segments.serialOf(slotOf(this.placeAt(at)));
  }

  #bucketOf(hashLo: number): number {
    return this.#first + Math.floor(((hashLo >>> 0) / 2 ** 32) * this.#buckets) * BUCKET_WORDS;
  }
}

const NONE: readonly number[] = [];
const always = (): boolean => true;
