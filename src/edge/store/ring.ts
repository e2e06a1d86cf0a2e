/**
 * A ring of records: taken at the head, freed at the tail, whole records only.
 *
 * Positions run over twice the capacity, so that a full ring differs from an empty one and each end is one word: at
 * every moment, a sudden death included, the records from tail to head are whole. A record never crosses the end of
 * the area; what is left there is filled by a pad.
 *
 * A record at the tail that must not be touched (somebody reads it) is jumped over: the free room before it becomes
 * a pad, and the record counts as the newest one, where it lies.
 */
import { type Block, UNIT_WORDS } from "./layout.ts";
import { RECORD, STATE } from "./record.ts";

export class Ring {
  readonly #words: Int32Array;
  readonly #firstUnit: number;
  readonly #headAt: number;
  readonly capacity: number;

  /** `headAt` is the word of the head; the tail is the next one. */
  constructor({ words }: Block, firstUnit: number, capacity: number, headAt: number) {
    this.#words = words;
    this.#firstUnit = firstUnit;
    this.#headAt = headAt;
    this.capacity = capacity;
  }

  get #head(): number {
    return this.#words[this.#headAt] ?? 0;
  }
  get #tail(): number {
    return this.#words[this.#headAt + 1] ?? 0;
  }

  /** Units between tail and head. */
  get used(): number {
    const used = this.#head - this.#tail;
    return used < 0 ? used + this.capacity * 2 : used;
  }
  get free(): number {
    return this.capacity - this.used;
  }
  get headUnit(): number {
    return this.#firstUnit + (this.#head % this.capacity);
  }
  get tailUnit(): number {
    return this.#firstUnit + (this.#tail % this.capacity);
  }
  /** Units of the record at the tail. */
  get tailSize(): number {
    return this.#words[this.tailUnit * UNIT_WORDS + RECORD.size] ?? 0;
  }
  get #toEnd(): number {
    return this.capacity - (this.#head % this.capacity);
  }
  /** Free units in one piece at the head. */
  get room(): number {
    return Math.min(this.free, this.#toEnd);
  }

  /** Makes the head lie before `units` units in one piece of the area, free or not, padding the end if need be. */
  turnFor(units: number): void {
    if (this.#toEnd < units && this.free >= this.#toEnd) this.#pad(this.#toEnd);
  }

  /** Gives out `units` units at the head, whose record's size and state are written already. */
  take(units: number): void {
    this.#store(0, this.#head + units);
  }

  /** Frees the record at the tail. */
  drop(): void {
    this.#store(1, this.#tail + this.tailSize);
  }

  /** Leaves the record at the tail where it is and makes it the newest. */
  jump(): void {
    while (this.free > 0) this.#pad(this.room);
    this.renew(this.tailSize);
  }

  /** Moves both ends past `units` units: the record at the tail now is the newest one. */
  renew(units: number): void {
    this.#store(0, this.#head + units);
    this.#store(1, this.#tail + units);
  }

  contains(unit: number): boolean {
    return unit >= this.#firstUnit && unit < this.#firstUnit + this.capacity;
  }

  /** Mends what a death between the two steps of `renew` left. */
  mend(): void {
    if (this.used > this.capacity) this.#store(1, this.#head + this.capacity);
  }

  /** Empties the ring. Only when nobody reads or fills any record of it. */
  reset(): void {
    this.#store(0, 0);
    this.#store(1, 0);
  }

  #pad(units: number): void {
    const at = this.headUnit * UNIT_WORDS;
    this.#words[at + RECORD.size] = units;
    this.#words[at + RECORD.state] = STATE.pad;
    this.take(units);
  }

  #store(end: 0 | 1, position: number): void {
    const turn = this.capacity * 2;
    Atomics.store(this.#words, this.#headAt + end, position >= turn ? position - turn : position);
  }
}
