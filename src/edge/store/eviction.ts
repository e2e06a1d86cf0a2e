/**
 * Who stays: S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), by bytes.
 *
 * New objects enter a small ring, a tenth of the room. What was asked for again by the time it reaches the tail
 * moves to the main ring; the rest leaves its ghost. An object whose ghost is remembered enters the main ring at
 * once. At the tail of the main ring, what was asked for since goes round once more, each time with a smaller count.
 *
 * Differences from the paper because objects differ in size (bench/edge-hit-ratio.ts has what they bring): one use
 * instead of two is enough to move to the main ring; a small object gets one round in it for nothing, and a large one
 * pays two counts for a round, since in its place several small ones could answer.
 *
 * Differences because records lie in rings of memory instead of lists:
 * - While the main ring has much room (at first, after a purge), the small ring's tail moves there whatever its count.
 * - Dead and expired records at the main ring's tail are freed ahead of need, so that a purge gives room back.
 * - Going round copies bytes; beyond a bound on the bytes copied for one object, the tail leaves whatever its count.
 *
 * Everything here runs under the store's lock. A record is unlinked first, then the pins are looked at: one that is
 * pinned stays where it is (see `Ring.jump`), and its bytes are not touched.
 */
import type { Columns } from "./columns.ts";
import { COUNTER, EVICTIONS, type Eviction } from "./counters.ts";
import type { Ghosts } from "./ghosts.ts";
import { type Block, BUCKET_SLOTS, BUCKET_WORDS, HEADER, UNIT_BYTES, UNIT_WORDS } from "./layout.ts";
import type { Purges } from "./purges.ts";
import { RECORD, STATE } from "./record.ts";
import { Ring } from "./ring.ts";
import { PURGED } from "./sequence.ts";
import type { Slots } from "./slots.ts";

/** Units copied at most to make room for one object, 4 MiB: a millisecond of memory's time. */
const COPY_UNITS_MAX = (4 << 20) / UNIT_BYTES;
/** Records looked at ahead of need, when an object enters. */
const RECLAIM_MAX = 16;
/** The main ring has much room when more than this share of it is free; freeing for one object never gives so much. */
const MUCH_ROOM_SHARE = 1 / 16;
/** A live record with less room before it than this share of its size goes round where it lies. */
const JUMP_SHARE = 1 / 8;
/** What moves from the small ring to the main one: asked for at least so often. */
const PROMOTE_ACCESS = 1;
/** Objects that leave for these reasons are still good: there may be a place for them elsewhere. */
const STILL_GOOD: ReadonlySet<Eviction> = new Set<Eviction>([
  "not-used-again",
  "least-used",
  "variants",
  "bucket-full",
]);
/** Reason -> its counter's cell: the name is not put together for each that leaves. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made from all reasons
const EVICTED = Object.fromEntries(
  EVICTIONS.map((reason) => [reason, COUNTER[`evicted ${reason}`]]),
) as Readonly<Record<Eviction, number>>;
/** Small and large, in mean sizes of what is stored. */
const SMALL_OBJECT = 0.5;
const LARGE_OBJECT = 1.5;

/** The other parts of the store that eviction works on. */
export interface EvictionParts {
  readonly block: Block;
  readonly columns: Columns;
  readonly slots: Slots;
  readonly ghosts: Ghosts;
  readonly purges: Purges;
}

/** Both rings, and who leaves them. */
export class Evictor {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #parts: EvictionParts;
  readonly small: Ring;
  readonly main: Ring;
  /** Shown the unit of each object that leaves and is still good, before its bytes are let go. */
  left: (unit: number) => void = () => {};
  #nowS = 0;
  #copyUnits = 0;
  /** What `fetchAhead` read, kept lest the compiler leave the reading out. */
  fetched = 0;

  constructor(parts: EvictionParts) {
    const { block } = parts;
    const { layout } = block;
    this.#words = block.words;
    this.#bytes = block.bytes;
    this.#parts = parts;
    this.small = new Ring(block, layout.smallUnit, layout.sizes.smallUnits, HEADER.smallHead);
    this.main = new Ring(block, layout.mainUnit, layout.sizes.mainUnits, HEADER.mainHead);
  }

  /**
   * Reads a word of each line that storing an object touches: what no processor cache holds comes at once then, and not one
   * line after the other. What is read counts for nothing, so it needs no lock.
   */
  fetchAhead(hashLo: number): void {
    const { slots, ghosts } = this.#parts;
    const room = this.small.headUnit * UNIT_WORDS;
    const tail = this.small.tailUnit * UNIT_WORDS;
    // The one whose place is taken, if it leaves.
    const last = this.#words[tail + RECORD.hashLo] ?? 0;
    const own =
      this.#line(room) ^ this.#line(room + UNIT_WORDS) ^ this.#lines(slots.bucketOf(hashLo), BUCKET_WORDS);
    const locations = slots.bucketOf(last) + BUCKET_SLOTS;
    const others = this.#lines(locations, BUCKET_SLOTS) ^ this.#line(ghosts.bucketOf(last));
    this.fetched = own ^ this.#line(ghosts.bucketOf(hashLo)) ^ others;
  }

  /** A word of each line of `[at, at + words)`. */
  #lines(at: number, words: number): number {
    let all = 0;
    for (let word = at; word < at + words; word += UNIT_WORDS) all ^= this.#words[word] ?? 0;
    return all;
  }
  #line(at: number): number {
    return this.#words[at] ?? 0;
  }

  /** Makes room for `units` units at the head of `ring`: the unit there, 0 when pins are in the way. */
  makeRoom(ring: Ring, units: number, nowS: number): number {
    this.#nowS = nowS;
    this.#copyUnits = COPY_UNITS_MAX;
    this.#reclaim();
    return this.#roomIn(ring, units);
  }

  /** Takes the record in the slot at word `slot` out of the index. Its bytes are freed when the tail reaches it. */
  unlink(slot: number, reason: Eviction): void {
    const unit = this.#words[slot] ?? 0;
    this.#parts.slots.move(slot, 0);
    this.#retire(unit, reason);
  }

  /** Publishes a record in the slot of another one, which leaves: readers see the one or the other. */
  replace(slot: number, unit: number, reason: Eviction): void {
    const old = this.#words[slot] ?? 0;
    this.link(slot, unit);
    this.#retire(old, reason);
  }

  #retire(unit: number, reason: Eviction): void {
    const at = unit * UNIT_WORDS;
    if (STILL_GOOD.has(reason)) this.left(unit);
    this.#words[at + RECORD.state] = STATE.dead;
    this.#adjust(-1, -(this.#words[at + RECORD.size] ?? 0));
    this.#parts.columns.add(EVICTED[reason], 1);
  }

  /** Publishes the record of this unit in the slot at word `slot`. */
  link(slot: number, unit: number): void {
    const at = unit * UNIT_WORDS;
    this.#words[at + RECORD.state] = STATE.live;
    this.#adjust(1, this.#words[at + RECORD.size] ?? 0);
    this.#parts.slots.link(slot, this.#words[at + RECORD.hashHi] ?? 0, unit);
  }

  /** Starts with nothing stored: what the rings hold is freed as their tails reach it. */
  forget(): void {
    this.#parts.slots.clear();
    this.#words[HEADER.entries] = 0;
    this.#words[HEADER.liveUnits] = 0;
    this.small.mend();
    this.main.mend();
  }

  #adjust(entries: number, units: number): void {
    this.#words[HEADER.entries] = (this.#words[HEADER.entries] ?? 0) + entries;
    this.#words[HEADER.liveUnits] = (this.#words[HEADER.liveUnits] ?? 0) + units;
  }

  #roomIn(ring: Ring, units: number): number {
    // Twice around and still no room: all that is left is pinned.
    let left = ring.capacity * 2;
    while (left > 0) {
      ring.turnFor(units);
      if (ring.room >= units) return ring.headUnit;
      left -= ring.tailSize;
      this.#turn(ring);
    }
    return 0;
  }

  /** Frees the record at the tail, or makes it the newest one. */
  #turn(ring: Ring): void {
    const unit = ring.tailUnit;
    const at = unit * UNIT_WORDS;
    const state = this.#words[at + RECORD.state];
    const slot =
      state === STATE.live ? this.#parts.slots.slotOf(this.#words[at + RECORD.hashLo] ?? 0, unit) : -1;
    if (slot >= 0) {
      if (ring === this.main && this.#goesRound(unit, slot)) return;
      if (ring === this.small) this.#leaveSmall(unit, slot);
    }
    if (state !== STATE.pad && this.#parts.columns.isPinned(unit)) ring.jump();
    else ring.drop();
  }

  /** Mean units of the objects that can be found. */
  get #meanUnits(): number {
    return (this.#words[HEADER.liveUnits] ?? 0) / (this.#words[HEADER.entries] ?? 1);
  }

  /** Why the record is of no use any more, if so. */
  #worthless(unit: number): Eviction | undefined {
    const usableUntilS = this.#words[unit * UNIT_WORDS + RECORD.usableUntilS] ?? 0;
    if (usableUntilS !== 0 && this.#nowS > usableUntilS >>> 0) return "expired";
    return this.#parts.purges.check(unit) === PURGED.hard ? "purge" : undefined;
  }

  /** Takes the record at the small ring's tail to the main ring, or out. */
  #leaveSmall(unit: number, slot: number): void {
    const at = unit * UNIT_WORDS;
    const worthless = this.#worthless(unit);
    if (worthless !== undefined) {
      this.unlink(slot, worthless);
      return;
    }
    const size = this.#words[at + RECORD.size] ?? 0;
    const isWanted = (this.#words[at + RECORD.access] ?? 0) >= PROMOTE_ACCESS;
    if (isWanted) this.#words[at + RECORD.usedAgain] = 1;
    if (isWanted || this.main.free > this.main.capacity * MUCH_ROOM_SHARE + size) {
      const to = this.#roomIn(this.main, size);
      if (to !== 0) {
        this.#copy(unit, to, slot, size < SMALL_OBJECT * this.#meanUnits ? 1 : 0);
        return;
      }
    }
    this.unlink(slot, "not-used-again");
    this.#parts.ghosts.add(this.#words[at + RECORD.hashHi] ?? 0, this.#words[at + RECORD.hashLo] ?? 0, size);
  }

  /** Whether the record at the main ring's tail was made the newest one; if not, it is out of the index. */
  #goesRound(unit: number, slot: number): boolean {
    const at = unit * UNIT_WORDS;
    const size = this.#words[at + RECORD.size] ?? 0;
    const cost = size > LARGE_OBJECT * this.#meanUnits ? 2 : 1;
    const left = (this.#words[at + RECORD.access] ?? 0) - cost;
    const worthless = this.#worthless(unit);
    if (worthless !== undefined || left < 0 || this.#copyUnits <= 0) {
      this.unlink(slot, worthless ?? "least-used");
      return false;
    }
    this.#words[at + RECORD.usedAgain] = 1;
    this.#copyUnits -= size;
    this.main.turnFor(size);
    const room = this.main.room;
    if (room >= size) {
      this.#copy(unit, this.main.headUnit, slot, left);
      return false;
    }
    this.#words[at + RECORD.access] = left;
    if (room <= size * JUMP_SHARE || !this.#slide(unit, slot)) this.main.jump();
    return true;
  }

  /** Copies a record to the head of the main ring, where there is room, and points the index there. */
  #copy(unit: number, to: number, slot: number, access: number): void {
    const from = unit * UNIT_WORDS;
    const at = to * UNIT_WORDS;
    const size = this.#words[from + RECORD.size] ?? 0;
    // Read before the bytes are copied: a reader marks a soft purge first and this sequence then.
    const checked = Atomics.load(this.#words, from + RECORD.checkedSequence);
    this.#bytes.copyWithin(to * UNIT_BYTES, unit * UNIT_BYTES, (unit + size) * UNIT_BYTES);
    this.#words[at + RECORD.checkedSequence] = checked;
    this.#words[at + RECORD.access] = access;
    this.main.take(size);
    this.#parts.slots.move(slot, to);
    this.#words[from + RECORD.state] = STATE.dead;
    this.#parts.columns.add(COUNTER.moves, 1);
  }

  /**
   * Moves the record at the main ring's tail down over the free room before it, which is smaller than the record.
   * False, with nothing done, when somebody reads it.
   */
  #slide(unit: number, slot: number): boolean {
    const { slots, columns } = this.#parts;
    slots.move(slot, 0);
    if (columns.isPinned(unit)) {
      slots.move(slot, unit);
      return false;
    }
    const size = this.#words[unit * UNIT_WORDS + RECORD.size] ?? 0;
    const to = this.main.headUnit;
    // While bytes overlap the ring cannot be walked: a death here is noticed by this word.
    Atomics.store(this.#words, HEADER.moving, 1);
    this.#bytes.copyWithin(to * UNIT_BYTES, unit * UNIT_BYTES, (unit + size) * UNIT_BYTES);
    this.main.renew(size);
    slots.move(slot, to);
    Atomics.store(this.#words, HEADER.moving, 0);
    columns.add(COUNTER.moves, 1);
    return true;
  }

  #reclaim(): void {
    for (let records = 0; records < RECLAIM_MAX && this.main.used > 0; records++) {
      const unit = this.main.tailUnit;
      const at = unit * UNIT_WORDS;
      const state = this.#words[at + RECORD.state];
      if (state === STATE.filling) return;
      if (state === STATE.live) {
        const slot = this.#parts.slots.slotOf(this.#words[at + RECORD.hashLo] ?? 0, unit);
        const worthless = slot < 0 ? undefined : this.#worthless(unit);
        if (slot >= 0 && worthless === undefined) return;
        if (slot >= 0 && worthless !== undefined) this.unlink(slot, worthless);
      }
      if (state !== STATE.pad && this.#parts.columns.isPinned(unit)) return;
      this.main.drop();
    }
  }
}
