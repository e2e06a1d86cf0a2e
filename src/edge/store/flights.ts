/**
 * Flights: which worker is fetching what, so that one request goes to the origin while the others wait.
 *
 * A small table in sets of eight; a set that is full lets the caller go alone. A flight whose worker died, or that
 * is older than its deadline, is taken over by the next who asks. Waiting is the caller's matter: it looks again.
 *
 * Beside it the markers: a lossy table of keys whose answers cannot be stored, so that nobody waits for them.
 */
import type { Columns } from "./columns.ts";
import { type Block, FLIGHT_WAYS, FLIGHT_WORDS, HEADER, MARKER_WORDS } from "./layout.ts";
import { Lock } from "./lock.ts";

/** Words of a row: the key's hash, the owner as in a lock, and until when it counts, in ms modulo 2^32. */
const FLIGHT_ROW = { hashHi: 0, hashLo: 1, owner: 2, deadlineMs: 3 } as const;

/** Answers of `claim` that are not the number of a worker. */
export const FLIGHT = { leader: -1, alone: -2 } as const;

/** The table of flights, as one worker sees it. */
export class Flights {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #mask: number;
  readonly #columns: Columns;
  readonly #lock: Lock;

  constructor({ words, layout }: Block, columns: Columns) {
    this.#words = words;
    this.#first = layout.flights;
    this.#mask = layout.sizes.flightSets - 1;
    this.#columns = columns;
    this.#lock = new Lock(words, HEADER.flightLock, columns);
  }

  /**
   * Asks to lead the flight for a key. `FLIGHT.leader`: this worker fetches, and releases. A worker's number (its
   * own too): that one fetches. `FLIGHT.alone`: no place in the table, fetch without telling anybody.
   */
  claim(hashHi: number, hashLo: number, nowMs: number, deadlineMs: number): number {
    // What a dead owner left is at most a row without an owner.
    if (this.#lock.acquire() === "busy") return FLIGHT.alone;
    const answer = this.#claim(hashHi, hashLo, nowMs, deadlineMs);
    this.#lock.release();
    return answer;
  }

  /** Ends a flight of this worker. */
  release(hashHi: number, hashLo: number): void {
    const row = this.#find(hashHi, hashLo);
    if (row < 0 || this.#words[row + FLIGHT_ROW.owner] !== this.#columns.owner) return;
    Atomics.store(this.#words, row + FLIGHT_ROW.owner, 0);
  }

  /** The worker that leads the flight for a key; -1 when nobody does. */
  leader(hashHi: number, hashLo: number, nowMs: number): number {
    const row = this.#find(hashHi, hashLo);
    if (row < 0 || !this.#counts(row, nowMs)) return -1;
    return this.#columns.workerOf(this.#words[row + FLIGHT_ROW.owner] ?? 0);
  }

  #claim(hashHi: number, hashLo: number, nowMs: number, deadlineMs: number): number {
    let free = -1;
    for (let way = 0; way < FLIGHT_WAYS; way++) {
      const row = this.#row(hashLo, way);
      const counts = this.#counts(row, nowMs);
      if (this.#isFor(row, hashHi, hashLo)) {
        if (counts) return this.#columns.workerOf(this.#words[row + FLIGHT_ROW.owner] ?? 0);
        free = row;
        break;
      }
      if (!counts && free < 0) free = row;
    }
    if (free < 0) return FLIGHT.alone;
    Atomics.store(this.#words, free + FLIGHT_ROW.owner, 0);
    this.#words[free + FLIGHT_ROW.hashHi] = hashHi;
    this.#words[free + FLIGHT_ROW.hashLo] = hashLo;
    this.#words[free + FLIGHT_ROW.deadlineMs] = deadlineMs;
    Atomics.store(this.#words, free + FLIGHT_ROW.owner, this.#columns.owner);
    return FLIGHT.leader;
  }

  #find(hashHi: number, hashLo: number): number {
    for (let way = 0; way < FLIGHT_WAYS; way++) {
      const row = this.#row(hashLo, way);
      if (this.#isFor(row, hashHi, hashLo) && this.#words[row + FLIGHT_ROW.owner] !== 0) return row;
    }
    return -1;
  }

  #isFor(row: number, hashHi: number, hashLo: number): boolean {
    const isSameHigh = this.#words[row + FLIGHT_ROW.hashHi] === (hashHi | 0);
    return isSameHigh && this.#words[row + FLIGHT_ROW.hashLo] === (hashLo | 0);
  }

  #counts(row: number, nowMs: number): boolean {
    const owner = Atomics.load(this.#words, row + FLIGHT_ROW.owner);
    if (owner === 0) return false;
    const leftMs = ((this.#words[row + FLIGHT_ROW.deadlineMs] ?? 0) - nowMs) | 0;
    return leftMs > 0 && (owner === this.#columns.owner || this.#columns.isOwnerAlive(owner));
  }

  #row(hashLo: number, way: number): number {
    return this.#first + ((hashLo & this.#mask) * FLIGHT_WAYS + way) * FLIGHT_WORDS;
  }
}

/** The table of keys whose answers cannot be stored. */
export class Markers {
  readonly #words: Int32Array;
  readonly #first: number;
  readonly #mask: number;

  constructor({ words, layout }: Block) {
    this.#words = words;
    this.#first = layout.markers;
    this.#mask = layout.sizes.markerRows - 1;
  }

  /** Says that the answers for a key cannot be stored, until a time in seconds; `reason` is a number of the caller's. */
  mark(hashHi: number, hashLo: number, untilS: number, reason: number = 0): void {
    const row = this.#row(hashLo);
    Atomics.store(this.#words, row + 1, 0);
    Atomics.store(this.#words, row, hashHi);
    Atomics.store(this.#words, row + 2, reason);
    Atomics.store(this.#words, row + 1, untilS);
  }

  /** Forgets the mark of a key. */
  unmark(hashHi: number, hashLo: number): void {
    const row = this.#row(hashLo);
    if (this.#words[row] === (hashHi | 0)) Atomics.store(this.#words, row + 1, 0);
  }

  isMarked(hashHi: number, hashLo: number, nowS: number): boolean {
    const row = this.#row(hashLo);
    const untilS = Atomics.load(this.#words, row + 1) >>> 0;
    return nowS < untilS && Atomics.load(this.#words, row) === (hashHi | 0);
  }

  /** The number that a marked key was marked with; undefined when it is not. */
  reasonOf(hashHi: number, hashLo: number, nowS: number): number | undefined {
    return this.isMarked(hashHi, hashLo, nowS) ? this.#words[this.#row(hashLo) + 2] : undefined;
  }

  #row(hashLo: number): number {
    return this.#first + (hashLo & this.#mask) * MARKER_WORDS;
  }
}
