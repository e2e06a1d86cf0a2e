/**
 * The table of segments: whose they are, which life of their slot they are in, and which objects in them were hit.
 *
 *   free -> open (one worker appends) -> sealed -> victim (its hit objects are written again) -> open …
 *   unscanned (found after a crash of the machine) -> sealed
 *
 * Each worker fills a segment of its own, so that writing needs no agreement: the lock is held for a look at the table
 * when a segment is full, once in 64 MiB. What a dead worker was filling counts as sealed.
 */
import type { IsAlive } from "../store/columns.ts";
import { Lock } from "../store/lock.ts";
import { type DiskIndex, HEADER, HITS_PER_SEGMENT, SEGMENT } from "./layout.ts";

/** What a segment is at the moment. */
export const SEGMENT_STATE = { free: 0, open: 1, sealed: 2, victim: 3, unscanned: 4 } as const;

/** Bits of an owner that hold the process id, as in the memory store. */
const PID_BITS = 22;
const PID_MASK = (1 << PID_BITS) - 1;

/** A segment in one life of its slot. */
export interface Segment {
  readonly slot: number;
  readonly serial: number;
}

/** A segment to fill, and the one to empty meanwhile. */
export interface Taken {
  readonly current: Segment;
  readonly victim: Segment | undefined;
}

export class Segments {
  readonly count: number;
  readonly #words: Int32Array;
  readonly #rows: number;
  readonly #rowWords: number;
  readonly #hits: number;
  readonly #workers: number;
  readonly #isAlive: IsAlive;
  readonly #owner: number;
  readonly #lock: Lock;

  constructor({ words, layout }: DiskIndex, worker: number, pid: number, isAlive: IsAlive) {
    if (worker < 0 || worker >= layout.sizes.workers) throw new RangeError(`edge disk: no worker ${worker}`);
    this.#words = words;
    this.count = layout.sizes.segments;
    this.#rows = layout.segments;
    this.#rowWords = layout.segmentWords;
    this.#hits = layout.hits;
    this.#workers = layout.workers;
    this.#isAlive = isAlive;
    this.#owner = ((worker + 1) << PID_BITS) | (pid & PID_MASK);
    Atomics.store(words, layout.workers + worker, pid);
    const isOwnerAlive = (owner: number): boolean => this.#isOwnerAlive(owner);
    this.#lock = new Lock(words, HEADER.lock, { owner: this.#owner, isOwnerAlive });
  }

  /** The life that a slot is in; 0 when there is nothing to read. */
  serialOf(slot: number): number {
    if (slot >= this.count || this.stateOf(slot) === SEGMENT_STATE.free) return 0;
    return this.#word(slot, SEGMENT.serial);
  }

  stateOf(slot: number): number {
    return Atomics.load(this.#words, this.#at(slot) + SEGMENT.state);
  }

  /** Units that were published, for statistics. */
  unitsOf(slot: number): number {
    return this.#word(slot, SEGMENT.units);
  }

  /**
   * A segment to append to: a free one, or the oldest, which is dropped by this: its victim if this worker has one.
   * When none is free any more, the next oldest becomes the victim. Undefined when all are in use, or others are at it.
   */
  take(victim: Segment | undefined): Taken | undefined {
    if (this.#lock.acquire() === "busy") return undefined;
    const slot = this.#next(victim);
    const current = slot < 0 ? undefined : this.#open(slot);
    const next = current === undefined || this.#free() >= 0 ? undefined : this.#claimVictim();
    this.#lock.release();
    return current === undefined ? undefined : { current, victim: next };
  }

  /** What was written to an own segment is there for all. */
  grow(slot: number, units: number): void {
    Atomics.store(this.#words, this.#at(slot) + SEGMENT.units, units);
  }

  /** Ends the filling of an own segment. */
  seal({ slot, serial }: Segment): void {
    if (this.#word(slot, SEGMENT.serial) === serial) this.#setState(slot, SEGMENT_STATE.sealed);
  }

  /** Gives up a segment: nothing in it is found any more, and its slot is free. */
  drop({ slot, serial }: Segment): void {
    const at = this.#at(slot) + SEGMENT.state;
    const state = Atomics.load(this.#words, at);
    const isOthers = (state === SEGMENT_STATE.open || state === SEGMENT_STATE.victim) && !this.#isOwn(slot);
    if (isOthers || this.#word(slot, SEGMENT.serial) !== serial) return;
    Atomics.compareExchange(this.#words, at, state, SEGMENT_STATE.free);
  }

  /** Forgets everything: whatever anybody is filling is read by nobody afterwards. */
  dropAll(): void {
    for (let slot = 0; slot < this.count; slot++) {
      // A new life, so that what its owner publishes from now on is not found either.
      Atomics.store(this.#words, this.#at(slot) + SEGMENT.serial, this.#nextSerial());
      this.#setState(slot, SEGMENT_STATE.free);
    }
  }

  /** Whether a worker's own segment is still what it was; `dropAll` and a mended index take it away. */
  isMine({ slot, serial }: Segment): boolean {
    return this.#word(slot, SEGMENT.serial) === serial && this.#isOwn(slot);
  }

  /** Enters a segment that was found on disk. Only while nobody uses the tier. */
  found({ slot, serial }: Segment): void {
    const at = this.#at(slot);
    this.#words[at + SEGMENT.serial] = serial;
    this.#words[at + SEGMENT.state] = SEGMENT_STATE.unscanned;
    this.#words[HEADER.scanning] = 1;
    if (isLater(serial, this.#words[HEADER.serial] ?? 0)) this.#words[HEADER.serial] = serial;
  }

  /** Whether objects that were found at the start may still be entered. */
  get isScanning(): boolean {
    return Atomics.load(this.#words, HEADER.scanning) !== 0;
  }
  /** Says that none will be any more. */
  endScanning(): void {
    Atomics.store(this.#words, HEADER.scanning, 0);
  }

  /** Says that all objects of a found segment, which ends at unit `units`, are in the index. */
  scanned({ slot, serial }: Segment, units: number): void {
    if (this.#word(slot, SEGMENT.serial) !== serial) return;
    this.grow(slot, units);
    const at = this.#at(slot) + SEGMENT.state;
    Atomics.compareExchange(this.#words, at, SEGMENT_STATE.unscanned, SEGMENT_STATE.sealed);
  }

  /** Segments to be scanned, the latest first. */
  unscanned(): Segment[] {
    const found = this.#all().filter(({ slot }) => this.stateOf(slot) === SEGMENT_STATE.unscanned);
    return found.toSorted((a, b) => (isLater(a.serial, b.serial) ? -1 : 1));
  }

  /** Seals what the workers of another time left, and frees the lock. Only while nobody uses the tier. */
  mend(): void {
    Atomics.store(this.#words, HEADER.lock, 0);
    for (let slot = 0; slot < this.count; slot++) {
      const state = this.stateOf(slot);
      const isLeft = state === SEGMENT_STATE.open || state === SEGMENT_STATE.victim;
      if (isLeft || state > SEGMENT_STATE.unscanned || state < 0) this.#setState(slot, SEGMENT_STATE.sealed);
    }
  }

  /** Remembers the slot of the index of an object that was hit, to be written again when its segment goes. */
  noteHit(slot: number, at: number): void {
    const next = Atomics.add(this.#words, this.#at(slot) + SEGMENT.hits, 1);
    if (next >= 0 && next < HITS_PER_SEGMENT) this.#words[this.#hits + slot * HITS_PER_SEGMENT + next] = at;
  }

  /** The hit objects of a segment. */
  hitsOf(slot: number): Int32Array {
    const count = Math.min(HITS_PER_SEGMENT, Math.max(0, this.#word(slot, SEGMENT.hits)));
    const from = this.#hits + slot * HITS_PER_SEGMENT;
    return this.#words.slice(from, from + count);
  }

  /** A number greater than that of everything written before. */
  nextOrder(): number {
    return Atomics.add(this.#words, HEADER.order, 1) + 1;
  }
  /** Numbers go on after `order`. */
  raiseOrder(order: number): void {
    if (isLater(order, Atomics.load(this.#words, HEADER.order)))
      Atomics.store(this.#words, HEADER.order, order);
  }

  #next(victim: Segment | undefined): number {
    const free = this.#free();
    if (free >= 0) return free;
    if (victim !== undefined && this.isMine(victim) && this.stateOf(victim.slot) === SEGMENT_STATE.victim)
      return victim.slot;
    return this.#oldest();
  }

  #free(): number {
    for (let slot = 0; slot < this.count; slot++) if (this.stateOf(slot) === SEGMENT_STATE.free) return slot;
    return -1;
  }

  #oldest(): number {
    let oldest = -1;
    for (let slot = 0; slot < this.count; slot++) {
      if (!this.#isIdle(slot)) continue;
      const serial = this.#word(slot, SEGMENT.serial);
      if (oldest < 0 || isLater(this.#word(oldest, SEGMENT.serial), serial)) oldest = slot;
    }
    return oldest;
  }

  #isIdle(slot: number): boolean {
    const state = this.stateOf(slot);
    if (state === SEGMENT_STATE.sealed || state === SEGMENT_STATE.unscanned) return true;
    return state !== SEGMENT_STATE.free && !this.#isOwnerAlive(this.#word(slot, SEGMENT.owner));
  }

  #open(slot: number): Segment {
    const at = this.#at(slot);
    const serial = this.#nextSerial();
    // The serial first: what names the old life is not found from here on.
    Atomics.store(this.#words, at + SEGMENT.serial, serial);
    this.#words[at + SEGMENT.units] = 0;
    this.#words[at + SEGMENT.hits] = 0;
    Atomics.store(this.#words, at + SEGMENT.owner, this.#owner);
    this.#setState(slot, SEGMENT_STATE.open);
    return { slot, serial };
  }

  #claimVictim(): Segment | undefined {
    const slot = this.#oldest();
    if (slot < 0 || this.stateOf(slot) === SEGMENT_STATE.unscanned) return undefined;
    Atomics.store(this.#words, this.#at(slot) + SEGMENT.owner, this.#owner);
    this.#setState(slot, SEGMENT_STATE.victim);
    return { slot, serial: this.#word(slot, SEGMENT.serial) };
  }

  #nextSerial(): number {
    const serial = Atomics.add(this.#words, HEADER.serial, 1) + 1;
    // 0 is no segment, in all bits and in the low ones that a slot of the index bears.
    return (serial & 0xffff) === 0 ? this.#nextSerial() : serial | 0;
  }

  #all(): Segment[] {
    return Array.from({ length: this.count }, (_, slot) => ({
      slot,
      serial: this.#word(slot, SEGMENT.serial),
    }));
  }

  #isOwn(slot: number): boolean {
    return this.#word(slot, SEGMENT.owner) === this.#owner;
  }

  #isOwnerAlive(owner: number): boolean {
    const worker = (owner >>> PID_BITS) - 1;
    const pid = owner & PID_MASK;
    return (
      worker >= 0 && (this.#words[this.#workers + worker] ?? 0) % (PID_MASK + 1) === pid && this.#isAlive(pid)
    );
  }

  #setState(slot: number, state: number): void {
    Atomics.store(this.#words, this.#at(slot) + SEGMENT.state, state);
  }

  #word(slot: number, field: number): number {
    return Atomics.load(this.#words, this.#at(slot) + field);
  }

  #at(slot: number): number {
    return this.#rows + slot * this.#rowWords;
  }
}

/** Whether number `a` was given out after `b`: they turn over at 2^32. */
export function isLater(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
