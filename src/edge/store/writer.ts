/**
 * Storing and removing objects: room is made and the index is changed under one lock, bytes are filled outside it.
 *
 * A record being filled is protected by a pin of its worker, like one that is read: when the worker dies, its pins
 * are cleared and the ring takes the record back. A worker that dies with the lock in its hand may have left the
 * index half changed: whoever inherits the lock empties the index. What the rings hold is still whole, so that those
 * who read or fill it go on undisturbed. Only a death while bytes were moved over themselves makes a ring
 * unreadable; then nothing is stored until nobody reads any more, and the rings start anew.
 */
import type { Columns } from "./columns.ts";
import { COUNTER, type Refusal } from "./counters.ts";
import { type EvictionParts, Evictor } from "./eviction.ts";
import { BUCKET_SLOTS, BUCKET_WORDS, HEADER, UNIT_WORDS } from "./layout.ts";
import { Lock } from "./lock.ts";
import {
  equalBytes,
  KEY_BYTES_MAX,
  keyAt,
  RECORD,
  recordUnits,
  STATE,
  TAGS_MAX,
  VARY_BYTES_MAX,
  varyAt,
} from "./record.ts";
import { Reservation, type ReserveRequest, shapeOf } from "./reservation.ts";
import type { Ring } from "./ring.ts";
import { PURGED } from "./sequence.ts";

/** Variants kept of one key: of browsers' and languages' combinations only so many matter at once. */
export const VARIANTS_MAX = 24;

/** The records of a key that is about to be published once more. */
interface Variants {
  /** Slot of the one with the same vary key; -1 when there is none. */
  readonly same: number;
  readonly count: number;
  /** Slot of the one that was stored first. */
  readonly oldest: number;
}

/** Stores and removes for one worker. */
export class Writer {
  readonly #parts: EvictionParts;
  readonly #words: Int32Array;
  readonly #columns: Columns;
  readonly #evictor: Evictor;
  readonly #lock: Lock;
  readonly #unitsMax: number;

  constructor(parts: EvictionParts) {
    this.#parts = parts;
    this.#words = parts.block.words;
    this.#columns = parts.columns;
    this.#evictor = new Evictor(parts);
    this.#lock = new Lock(this.#words, HEADER.lock, parts.columns);
    this.#unitsMax = parts.block.layout.sizes.objectUnitsMax;
  }

  /** Shows the unit of each object that leaves and is still good. */
  onLeave(left: (unit: number) => void): void {
    this.#evictor.left = left;
  }

  /** Makes room for an object, or says why not. */
  reserve(request: ReserveRequest): Reservation | Refusal {
    const reserved = this.#reserve(request);
    if (typeof reserved === "string") this.#columns.count(`refused ${reserved}`, 1);
    return reserved;
  }

  /** Publishes a filled record; `undefined` when it is. After "busy" it may be tried again, after others it is over. */
  commit(unit: number, pin: number): Refusal | undefined {
    const refusal = this.#enter();
    if (refusal === "busy") return refusal;
    if (refusal !== undefined) return this.#giveUp(unit, pin, refusal);
    const isPurged = this.#hold(() => {
      if (this.#parts.purges.check(unit) === PURGED.hard) return true;
      this.#publish(unit);
      return false;
    });
    if (isPurged) return this.#giveUp(unit, pin, "purged");
    this.#columns.unpin(pin);
    return undefined;
  }

  /** Gives a reserved record back unpublished. */
  abort(unit: number, pin: number): void {
    Atomics.store(this.#words, unit * UNIT_WORDS + RECORD.state, STATE.dead);
    this.#columns.unpin(pin);
  }

  /** Removes all variants of a key: how many there were. */
  // oxlint-disable-next-line max-params -- the same five as `find`
  remove(hashHi: number, hashLo: number, key: Uint8Array, start: number, end: number): number | "busy" {
    if (this.#enter(true) !== undefined) return "busy";
    const wanted = key.subarray(start, end);
    return this.#hold(() => {
      let count = 0;
      for (let slot = this.#slotOf(hashHi, hashLo, wanted); slot >= 0; count++) {
        this.#evictor.unlink(slot, "removed");
        slot = this.#slotOf(hashHi, hashLo, wanted);
      }
      return count;
    });
  }

  /** Runs `work` under the lock, with a function that empties the index; false when the lock is not to be had. */
  locked(work: (forget: () => void) => void): boolean {
    if (this.#enter(true) !== undefined) return false;
    this.#hold(() => work(() => this.#evictor.forget()));
    return true;
  }

  #giveUp(unit: number, pin: number, refusal: Refusal): Refusal {
    this.abort(unit, pin);
    this.#columns.count(`refused ${refusal}`, 1);
    return refusal;
  }

  /** Takes the lock, mending what a dead owner left. Not held when a reason is returned. */
  #enter(isBrokenFine = false): Refusal | undefined {
    const attempt = this.#lock.acquire();
    if (attempt === "busy") return "busy";
    if (attempt === "inherited") this.#recover();
    if (isBrokenFine || this.#words[HEADER.broken] === 0 || this.#restart()) return undefined;
    this.#lock.release();
    return "recovering";
  }

  /** Does `work` and gives the lock back. An error may leave the index half changed, as a death does. */
  #hold<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#recover();
      throw error;
    } finally {
      this.#lock.release();
    }
  }

  #recover(): void {
    this.#evictor.forget();
    if (this.#words[HEADER.moving] !== 0) this.#words[HEADER.broken] = 1;
    this.#words[HEADER.moving] = 0;
    Atomics.add(this.#words, HEADER.epoch, 1);
    this.#columns.count("recoveries", 1);
  }

  /** Empties the rings when nobody reads or fills a record: with an empty index nobody can begin to. */
  #restart(): boolean {
    if (this.#columns.isAnyPinned()) return false;
    this.#evictor.small.reset();
    this.#evictor.main.reset();
    this.#words[HEADER.broken] = 0;
    return true;
  }

  #reserve(request: ReserveRequest): Reservation | Refusal {
    const units = recordUnits(shapeOf(request));
    if (units > this.#unitsMax) return "too-large";
    if (request.key.length > KEY_BYTES_MAX || request.vary.length > VARY_BYTES_MAX) return "key-too-long";
    if (request.tags.length > TAGS_MAX) return "too-many-tags";
    this.#evictor.fetchAhead(request.hashLo);
    const refusal = this.#enter();
    if (refusal !== undefined) return refusal;
    const taken = this.#hold(() => this.#take(request, units));
    if (typeof taken === "string") return taken;
    return new Reservation(this.#parts.block, this, taken, request);
  }

  /** Takes room at the head of the ring in which the object belongs. Under the lock. */
  #take(request: ReserveRequest, units: number): { unit: number; pin: number } | Refusal {
    const { hashHi, hashLo } = request;
    const known = this.#words[this.#slotOf(hashHi, hashLo, request.key)] ?? 0;
    const isRemembered = this.#parts.ghosts.take(hashHi, hashLo);
    const isMain = isRemembered || this.#evictor.main.contains(known);
    const ring: Ring = isMain ? this.#evictor.main : this.#evictor.small;
    const access = known === 0 ? 0 : (this.#words[known * UNIT_WORDS + RECORD.access] ?? 0);
    const unit = this.#evictor.makeRoom(ring, units, request.nowS);
    if (unit === 0) return "pinned";
    const pin = this.#columns.pinFresh(unit);
    if (pin < 0) return "no-pins";
    const at = unit * UNIT_WORDS;
    this.#words.fill(0, at, at + UNIT_WORDS);
    this.#words[at + RECORD.hashHi] = hashHi;
    this.#words[at + RECORD.hashLo] = hashLo;
    this.#words[at + RECORD.access] = access;
    this.#words[at + RECORD.size] = units;
    this.#words[at + RECORD.state] = STATE.filling;
    this.#words[at + RECORD.usedAgain] = isRemembered ? 1 : 0;
    ring.take(units);
    return { unit, pin };
  }

  /** The slot of a record for a key; -1 when there is none. Only where the tag is the key's is the record looked at. */
  #slotOf(hashHi: number, hashLo: number, key: Uint8Array): number {
    const tag = this.#parts.slots.bucketOf(hashLo);
    for (let at = tag; at < tag + BUCKET_SLOTS; at++) {
      if (this.#words[at] !== (hashHi | 0)) continue;
      const record = (this.#words[at + BUCKET_SLOTS] ?? 0) * UNIT_WORDS;
      if (record === 0 || this.#words[record + RECORD.keyBytes] !== key.length) continue;
      if (equalBytes(this.#words, keyAt(this.#words, record), key, 0, key.length)) return at + BUCKET_SLOTS;
    }
    return -1;
  }

  #publish(unit: number): void {
    const at = unit * UNIT_WORDS;
    const hashLo = this.#words[at + RECORD.hashLo] ?? 0;
    const { same, count, oldest } = this.#variants(at);
    const free = this.#parts.slots.slotOf(hashLo, 0);
    this.#goOn(at, (this.#words[same] ?? 0) * UNIT_WORDS);
    if (same >= 0) this.#evictor.replace(same, unit, "replaced");
    else if (count >= VARIANTS_MAX) this.#evictor.replace(oldest, unit, "variants");
    else if (free < 0) this.#evictor.replace(this.#leastUsed(hashLo), unit, "bucket-full");
    else this.#evictor.link(free, unit);
    this.#columns.add(COUNTER.inserts, 1);
    this.#columns.add(COUNTER.insertBytes, this.#words[at + RECORD.bodyBytes] ?? 0);
  }

  /** Takes over what was counted of the record that it replaces; there is none at word 0. */
  #goOn(at: number, before: number): void {
    const from = before === 0 ? RECORD.storedAtS + at : RECORD.firstStoredAtS + before;
    this.#words[at + RECORD.firstStoredAtS] = this.#words[from] ?? 0;
    this.#words[at + RECORD.hits] = before === 0 ? 0 : (this.#words[before + RECORD.hits] ?? 0);
  }

  /** What its bucket holds of the key of the record at word `at`. */
  #variants(at: number): Variants {
    const found = { same: -1, count: 0, oldest: -1 };
    const hashHi = this.#words[at + RECORD.hashHi] ?? 0;
    const tag = this.#parts.slots.bucketOf(this.#words[at + RECORD.hashLo] ?? 0);
    let oldestS = Number.POSITIVE_INFINITY;
    for (let slot = tag + BUCKET_SLOTS; slot < tag + BUCKET_WORDS; slot++) {
      if (this.#words[slot - BUCKET_SLOTS] !== hashHi) continue;
      const other = (this.#words[slot] ?? 0) * UNIT_WORDS;
      if (other === 0 || !this.#isSameKey(at, other)) continue;
      found.count++;
      if (this.#isSameVary(at, other)) found.same = slot;
      const storedAtS = (this.#words[other + RECORD.storedAtS] ?? 0) >>> 0;
      if (storedAtS >= oldestS) continue;
      oldestS = storedAtS;
      found.oldest = slot;
    }
    return found;
  }

  /** Slot of the record of a full bucket that was used least. */
  #leastUsed(hashLo: number): number {
    const bucket = this.#parts.slots.bucketOf(hashLo);
    let least = -1;
    let leastAccess = Number.POSITIVE_INFINITY;
    for (let slot = bucket + BUCKET_SLOTS; slot < bucket + BUCKET_WORDS; slot++) {
      const access = this.#words[(this.#words[slot] ?? 0) * UNIT_WORDS + RECORD.access] ?? 0;
      if (access >= leastAccess) continue;
      leastAccess = access;
      least = slot;
    }
    return least;
  }

  #isSameKey(a: number, b: number): boolean {
    const words = this.#words;
    return (
      words[a + RECORD.hashHi] === words[b + RECORD.hashHi] &&
      words[a + RECORD.hashLo] === words[b + RECORD.hashLo] &&
      this.#isSame(RECORD.keyBytes, a, keyAt(words, a), b, keyAt(words, b))
    );
  }

  #isSameVary(a: number, b: number): boolean {
    return this.#isSame(RECORD.varyBytes, a, varyAt(this.#words, a), b, varyAt(this.#words, b));
  }

  /** Whether a part of two records, padded to words with zeros, is the same. */
  // oxlint-disable-next-line max-params -- two records and a part of each
  #isSame(length: number, a: number, partOfA: number, b: number, partOfB: number): boolean {
    const bytes = this.#words[a + length] ?? 0;
    if (this.#words[b + length] !== bytes) return false;
    for (let word = 0; word * 4 < bytes; word++) {
      if (this.#words[partOfA + word] !== this.#words[partOfB + word]) return false;
    }
    return true;
  }
}
