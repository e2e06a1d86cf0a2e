/**
 * A hierarchical timer wheel (Varghese & Lauck, "Hashed and hierarchical timing wheels", 1987): one timeout per
 * connection, for tens of thousands of connections, restarted at every byte.
 *
 * Time is cut into ticks. Four wheels of 64 slots turn like the hands of a clock: a slot of wheel k spans 64^k ticks.
 * An entry waits in the coarsest wheel that can still tell its tick from now; when the finer wheel below has turned
 * once, the next coarse slot is dealt out again to the finer wheels. Every entry is a node of its slot's list, so
 * scheduling allocates nothing.
 *
 * Putting a timeout off, by far the most frequent call, only notes the later tick on the entry: the slot it waits in
 * finds the note when its turn comes, and deals the entry out again.
 */

const SLOT_BITS = 6;
const SLOTS = 1 << SLOT_BITS;
const SLOT_MASK = SLOTS - 1;
/** With 10 ms ticks four wheels span 46 hours; a later entry waits in the last slot and is dealt out again. */
const WHEELS = 4;
const SPAN_TICKS = SLOTS ** WHEELS;

/** Default tick: timeouts are given in tenths of a second and more, so 10 ms late is nothing. */
const TICK_MS = 10;

/** What can wait in a wheel. The three fields belong to the wheel; start them as in `timerEntry`. */
export interface TimerEntry {
  timerNext: TimerEntry | undefined;
  timerPrevious: TimerEntry | undefined;
  timerTick: number;
  /** Called once when the time has come. May schedule and cancel any entry, this one too. */
  onTimer(): void;
}

/** An entry that calls `onTimer`, for owners that are not entries themselves. */
export function timerEntry(onTimer: () => void): TimerEntry {
  return { timerNext: undefined, timerPrevious: undefined, timerTick: 0, onTimer };
}

/** Many coarse timeouts. It does not run by itself: call `advance` about once per tick. */
export class TimerWheel {
  readonly #tickMs: number;
  /** Heads of the slots' circular lists: wheel 0's slots, then wheel 1's, and so on. */
  readonly #slots: readonly TimerEntry[];
  #nowMs: number;
  /** The last tick that was served. */
  #tick: number;
  #size = 0;

  /** `nowMs` is the time on the clock that `advance` will be given. */
  constructor(nowMs: number, tickMs: number = TICK_MS) {
    this.#tickMs = tickMs;
    this.#nowMs = nowMs;
    this.#tick = Math.floor(nowMs / tickMs);
    this.#slots = Array.from({ length: WHEELS * SLOTS }, listHead);
  }

  /** Entries that wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Calls `entry.onTimer` once `delayMs` have passed since the last `advance`: never before, and at most a tick (plus
   * the time between two advances) after. An entry that already waits is moved. O(1), allocates nothing.
   */
  schedule(entry: TimerEntry, delayMs: number): void {
    const nextTick = Math.floor(this.#nowMs / this.#tickMs) + 1;
    const tick = Math.max(nextTick, Math.ceil((this.#nowMs + delayMs) / this.#tickMs));
    const waits = entry.timerNext !== undefined;
    const putOff = waits && tick >= entry.timerTick;
    entry.timerTick = tick;
    if (putOff) return;
    if (waits) unlink(entry);
    else this.#size++;
    this.#place(entry);
  }

  /** Takes an entry out. Harmless when it does not wait. O(1). */
  cancel(entry: TimerEntry): void {
    if (entry.timerNext === undefined) return;
    unlink(entry);
    this.#size--;
  }

  /**
   * Moves time to `nowMs` and calls every entry that is due, in order of ticks; within one tick the order is not
   * defined. What those calls schedule waits for a later advance. Time does not move back. O(ticks passed + entries
   * touched); an empty wheel jumps.
   */
  advance(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    const lastTick = Math.floor(this.#nowMs / this.#tickMs);
    // First what an exception left over in the slot it was thrown from.
    this.#expire();
    while (this.#tick < lastTick && this.#size > 0) {
      this.#tick++;
      this.#dealOut();
      this.#expire();
    }
    this.#tick = lastTick;
  }

  /** When a wheel has turned once, empties the next slot of the wheel above into the wheels below. */
  #dealOut(): void {
    for (let wheel = 1; wheel < WHEELS && this.#slotIndex(this.#tick, wheel - 1) === 0; wheel++) {
      const head = this.#headAt(this.#tick, wheel);
      for (let entry = takeFirst(head); entry !== undefined; entry = takeFirst(head)) this.#place(entry);
    }
  }

  /** Calls the entries of the current tick; one that was put off is placed anew. */
  #expire(): void {
    const head = this.#headAt(this.#tick, 0);
    for (let entry = takeFirst(head); entry !== undefined; entry = takeFirst(head)) {
      if (entry.timerTick > this.#tick) {
        this.#place(entry);
      } else {
        this.#size--;
        entry.onTimer();
      }
    }
  }

  #place(entry: TimerEntry): void {
    const ticksAhead = Math.min(entry.timerTick - this.#tick, SPAN_TICKS - 1);
    let wheel = 0;
    for (let span = SLOTS; ticksAhead >= span; span *= SLOTS) wheel++;
    linkLast(this.#headAt(this.#tick + ticksAhead, wheel), entry);
  }

  /** Bitwise operators keep a number's low 32 bits, which hold the slots of all wheels, so ticks never overflow. */
  #slotIndex(tick: number, wheel: number): number {
    return (tick >>> (SLOT_BITS * wheel)) & SLOT_MASK;
  }

  #headAt(tick: number, wheel: number): TimerEntry {
    const head = this.#slots[wheel * SLOTS + this.#slotIndex(tick, wheel)];
    if (head === undefined) throw new RangeError(`no slot for tick ${tick} in wheel ${wheel}`);
    return head;
  }
}

function listHead(): TimerEntry {
  const head = timerEntry(() => {});
  head.timerNext = head;
  head.timerPrevious = head;
  return head;
}

function linkLast(head: TimerEntry, entry: TimerEntry): void {
  const last = head.timerPrevious ?? head;
  entry.timerPrevious = last;
  entry.timerNext = head;
  last.timerNext = entry;
  head.timerPrevious = entry;
}

function unlink(entry: TimerEntry): void {
  const { timerNext: next, timerPrevious: previous } = entry;
  if (previous !== undefined) previous.timerNext = next;
  if (next !== undefined) next.timerPrevious = previous;
  entry.timerNext = undefined;
  entry.timerPrevious = undefined;
}

function takeFirst(head: TimerEntry): TimerEntry | undefined {
  const first = head.timerNext;
  if (first === undefined || first === head) return undefined;
  unlink(first);
  return first;
}
