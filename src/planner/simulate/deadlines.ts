/**
 * Deadlines of one length: since all wait equally long they run out in the order in which they were set, so a queue
 * holds them and only the first one is in the calendar. Most never run out and cost no event at all; those whose visit
 * has ended are swept out when room runs short, so the queue is as long as the visits under way, not as the delay.
 */

const INITIAL = 64;

/** What a queue of deadlines works with. */
export interface DeadlineContext {
  /** Asks for a call of `expire` at that time. */
  readonly wake: (atMs: number) => void;
  /** Whether the visit still is the one that set the deadline. */
  readonly isCurrent: (visit: number, serial: number) => boolean;
  readonly expired: (visit: number) => void;
}

/** A queue of (visit, serial, due). */
export class Deadlines {
  readonly #delayMs: number;
  readonly #context: DeadlineContext;
  #visits = new Int32Array(INITIAL);
  #serials = new Float64Array(INITIAL);
  #dueMs = new Float64Array(INITIAL);
  #head = 0;
  #size = 0;
  #awake = false;

  /** `delayMs` 0 = never. */
  constructor(delayMs: number, context: DeadlineContext) {
    this.#delayMs = delayMs;
    this.#context = context;
  }

  set(visit: number, serial: number, nowMs: number): void {
    if (this.#delayMs === 0) return;
    if (this.#size === this.#visits.length) this.#makeRoom();
    const at = (this.#head + this.#size) & (this.#visits.length - 1);
    this.#visits[at] = visit;
    this.#serials[at] = serial;
    this.#dueMs[at] = nowMs + this.#delayMs;
    this.#size++;
    if (!this.#awake) this.#wakeFor(nowMs + this.#delayMs);
  }

  /** Ends what is over by now, and asks to be called for the next. */
  expire(nowMs: number): void {
    this.#awake = false;
    while (this.#size > 0) {
      const at = this.#head;
      const visit = this.#visits[at] ?? 0;
      const current = this.#context.isCurrent(visit, this.#serials[at] ?? 0);
      if (current && (this.#dueMs[at] ?? 0) > nowMs) break;
      this.#head = (at + 1) & (this.#visits.length - 1);
      this.#size--;
      if (current) this.#context.expired(visit);
    }
    // What expired may have set another one, and so have asked already.
    if (this.#size > 0 && !this.#awake) this.#wakeFor(this.#dueMs[this.#head] ?? nowMs);
  }

  #wakeFor(atMs: number): void {
    this.#awake = true;
    this.#context.wake(atMs);
  }

  /** Keeps what is current, in twice the room when that is more than half. */
  #makeRoom(): void {
    const { length } = this.#visits;
    const current: number[] = [];
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (length - 1);
      if (this.#context.isCurrent(this.#visits[at] ?? 0, this.#serials[at] ?? 0)) current.push(at);
    }
    const room = current.length > length / 2 ? length * 2 : length;
    const pick = (from: Int32Array | Float64Array) => (at: number) => from[at] ?? 0;
    const [visits, serials, dueMs] = [new Int32Array(room), new Float64Array(room), new Float64Array(room)];
    visits.set(current.map(pick(this.#visits)));
    serials.set(current.map(pick(this.#serials)));
    dueMs.set(current.map(pick(this.#dueMs)));
    [this.#visits, this.#serials, this.#dueMs] = [visits, serials, dueMs];
    this.#head = 0;
    this.#size = current.length;
  }
}
