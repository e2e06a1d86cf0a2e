/**
 * The workers' columns: who they are, which records they are reading, and what they counted.
 *
 * A pin is a hazard pointer (Maged Michael, "Hazard Pointers", IEEE TPDS 2004): a reader writes a record's location
 * into a slot of its own, then looks into the index again. When the location still stands there, whoever unlinks
 * the record later sees the pin before it lets the bytes be overwritten. No reader ever waits.
 *
 * A process that is killed leaves its pins behind; they are cleared with its column.
 */
import type { Counter } from "./counters.ts";
import { COUNTER } from "./counters.ts";
import { type Block, COLUMN, COUNTERS_MAX, PINS } from "./layout.ts";

/** Bits of a lock word that hold the process id; Linux hands out ids below 2^22. */
const PID_BITS = 22;
const PID_MASK = (1 << PID_BITS) - 1;

/** Whether the process with this id runs. */
export type IsAlive = (pid: number) => boolean;

/** All columns, seen from one worker. */
export class Columns {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #stride: number;
  readonly #count: number;
  readonly #own: number;
  readonly #isAlive: IsAlive;
  readonly #counters: Float64Array;
  readonly #ownCounters: number;
  /** Pins of this worker that are not in use; the last one is taken next. */
  readonly #free: Int32Array;
  #freeCount = 0;
  /** How often each pin has been taken, and the pin of each location that has one. */
  readonly #holds = new Int32Array(PINS);
  readonly #slotOf = new Map<number, number>();
  /** What a lock that this worker holds contains. */
  readonly owner: number;

  constructor({ bytes, words, layout }: Block, worker: number, pid: number, isAlive: IsAlive) {
    this.#words = words;
    this.#first = layout.columns;
    this.#stride = layout.columnWords;
    this.#count = layout.sizes.workers;
    this.#own = layout.columns + worker * layout.columnWords;
    this.#isAlive = isAlive;
    this.#counters = new Float64Array(bytes.buffer, bytes.byteOffset, Math.floor(layout.smallUnit * 8));
    this.#ownCounters = (this.#own + COLUMN.counters) / 2;
    this.owner = ((worker + 1) << PID_BITS) | (pid & PID_MASK);
    this.#free = new Int32Array(PINS);
    this.clear(worker);
    Atomics.store(words, this.#own + COLUMN.pid, pid);
    // Slot 0 is the reader's own; the others are handed out from the lowest, so that few have to be looked at.
    for (let slot = PINS - 1; slot > 0; slot--) this.#free[this.#freeCount++] = slot;
  }

  /** The word of the pin that a reader moves from record to record. */
  get cursorPin(): number {
    return this.#own + COLUMN.pins;
  }

  /** A word of this worker alone: an atomic operation on it orders all that is before and after. */
  fence(): void {
    Atomics.add(this.#words, this.#own + COLUMN.fence, 1);
  }

  /**
   * Pins a record that is protected by something else at this moment. The pin's number, the same for all who hold the same
   * record; -1 when all are in use.
   */
  pin(unit: number): number {
    const slot = this.#slotOf.get(unit) ?? this.#newPin(unit);
    if (slot >= 0) this.#holds[slot] = (this.#holds[slot] ?? 0) + 1;
    return slot;
  }

  /** Pins a record that is being filled: nobody else can find it. The pin's number; -1 when all are in use. */
  pinFresh(unit: number): number {
    const slot = this.#takePin(unit);
    if (slot >= 0) this.#holds[slot] = 1;
    return slot;
  }

  #newPin(unit: number): number {
    const slot = this.#takePin(unit);
    if (slot >= 0) this.#slotOf.set(unit, slot);
    return slot;
  }

  #takePin(unit: number): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount] ?? 0;
    const high = this.#own + COLUMN.pinsHigh;
    if (slot > (this.#words[high] ?? 0)) Atomics.store(this.#words, high, slot);
    Atomics.store(this.#words, this.cursorPin + slot, unit);
    return slot;
  }

  unpin(slot: number): void {
    const holds = (this.#holds[slot] ?? 0) - 1;
    this.#holds[slot] = holds;
    if (holds > 0) return;
    this.#slotOf.delete(this.pinned(slot));
    Atomics.store(this.#words, this.cursorPin + slot, 0);
    this.#free[this.#freeCount++] = slot;
  }

  /** The location that a pin of this worker holds. */
  pinned(slot: number): number {
    return this.#words[this.cursorPin + slot] ?? 0;
  }

  /** Whether any worker has pinned `unit`. Call it after unlinking. O(workers and their pins). */
  isPinned(unit: number): boolean {
    for (let column = 0; column < this.#count; column++) {
      const at = this.#first + column * this.#stride;
      // Orders the plain reads below after the unlinking.
      const end = at + COLUMN.pins + Atomics.load(this.#words, at + COLUMN.pinsHigh);
      for (let pin = at + COLUMN.pins; pin <= end; pin++) if (this.#words[pin] === unit) return true;
    }
    return false;
  }

  /** Whether any worker that lives has pinned anything. */
  isAnyPinned(): boolean {
    for (let column = 0; column < this.#count; column++) {
      const from = this.#first + column * this.#stride + COLUMN.pins;
      let isPinning = false;
      for (let pin = from; pin < from + PINS; pin++)
        if (Atomics.load(this.#words, pin) !== 0) isPinning = true;
      if (isPinning && !this.#isDead(column)) return true;
    }
    return false;
  }

  #isDead(worker: number): boolean {
    const pid = this.pidOf(worker);
    return pid !== 0 && !this.#isAlive(pid);
  }

  /** Forgets what a worker that is gone was reading. Its counters go on. */
  clear(worker: number): void {
    const at = this.#first + worker * this.#stride;
    for (let word = at; word < at + COLUMN.counters; word++) Atomics.store(this.#words, word, 0);
  }

  /** The same for all workers whose process is gone. Only while no process can be taking a column. */
  clearDead(): void {
    for (let worker = 0; worker < this.#count; worker++) if (this.#isDead(worker)) this.clear(worker);
  }

  /** The worker that a lock word names. */
  workerOf(owner: number): number {
    return (owner >>> PID_BITS) - 1;
  }

  /** Whether the process that a lock word names still runs and still has its column. */
  isOwnerAlive(owner: number): boolean {
    const pid = owner & PID_MASK;
    return this.pidOf(this.workerOf(owner)) === pid && this.#isAlive(pid);
  }

  pidOf(worker: number): number {
    return this.#words[this.#first + worker * this.#stride + COLUMN.pid] ?? 0;
  }

  count(counter: Counter, by: number): void {
    this.add(COUNTER[counter], by);
  }
  /** The same by the counter's cell. */
  add(cell: number, by: number): void {
    const at = this.#ownCounters + cell;
    this.#counters[at] = (this.#counters[at] ?? 0) + by;
  }

  /** The counter in a cell, over all workers. */
  sum(cell: number): number {
    let sum = 0;
    for (let column = 0; column < this.#count; column++) {
      const at = this.#first + column * this.#stride + COLUMN.counters;
      sum += this.#counters[at / 2 + cell] ?? 0;
    }
    return sum;
  }
}

if (Object.keys(COUNTER).length > COUNTERS_MAX)
  throw new Error("edge store: more counters than a column holds");
