/**
 * Deadlines of one length: since all wait equally long they run out in the order in which they were set, so a queue
 * holds them and only the first one is in the calendar. Most never run out and cost no event at all.
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
    if (this.#size === this.#visits.length) this.#grow();
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

  #grow(): void {
    const { length } = this.#visits;
    const [visits, serials, dueMs] = [
      new Int32Array(length * 2),
      new Float64Array(length * 2),
      new Float64Array(length * 2),
    ];
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (length - 1);
      visits[i] = this.#visits[at] ?? 0;
      serials[i] = this.#serials[at] ?? 0;
      dueMs[i] = this.#dueMs[at] ?? 0;
    }
    [this.#visits, this.#serials, this.#dueMs] = [visits, serials, dueMs];
    this.#head = 0;
  }
}
