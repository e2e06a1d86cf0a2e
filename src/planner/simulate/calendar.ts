/**
 * The calendar of a simulation: events by time, on typed arrays, so that none of them is an object.
 *
 * A 4-ary heap (Johnson 1975; LaMarca & Ladner 1996: fewer cache misses than a binary one). Events of one instant
 * come in the order in which they were scheduled, so a run is a pure function of its seed. An event is a kind, a
 * small number that the simulator switches on, and a subject, whatever number that kind is about; both are packed into
 * one word.
 */

const INITIAL = 1024;

/** Children of one node. */
const ARITY = 4;

/** Bits of the word that tell the kind; the others are the subject. */
const KIND_BITS = 2;
const KIND_MASK = (1 << KIND_BITS) - 1;

/** Pending events by time. Not a container for objects: callers keep what a subject stands for. */
export class Calendar {
  #times = new Float64Array(INITIAL);
  #orders = new Float64Array(INITIAL);
  #words = new Int32Array(INITIAL);
  #size = 0;
  #order = 0;
  /** Of the event that `next` took last. */
  timeMs = 0;
  kind = 0;
  subject = 0;

  get size(): number {
    return this.#size;
  }

  /** When the next event is due; Infinity when there is none. */
  get nextMs(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] ?? Infinity);
  }

  /** Adds an event of kind 0..3. O(log n). */
  schedule(timeMs: number, kind: number, subject: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const order = this.#order++;
    let at = this.#size++;
    const times = this.#times;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      // A later order never goes before an equal time, so times alone decide on the way up.
      if ((times[parent] ?? 0) <= timeMs) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#put(at, timeMs, order, (subject << KIND_BITS) | kind);
  }

  /** Takes the next event into `timeMs`, `kind` and `subject`; false when there is none. O(log n). */
  next(): boolean {
    if (this.#size === 0) return false;
    this.timeMs = this.#times[0] ?? 0;
    const word = this.#words[0] ?? 0;
    this.kind = word & KIND_MASK;
    this.subject = word >> KIND_BITS;
    const last = --this.#size;
    if (last > 0) this.#sink(last);
    return true;
  }

  /** Moves what stands at `from` down from the top to where it belongs. A hot loop: bench/simulate-speed.ts. */
  #sink(from: number): void {
    const times = this.#times;
    const orders = this.#orders;
    const size = this.#size;
    const time = times[from] ?? 0;
    const order = orders[from] ?? 0;
    const word = this.#words[from] ?? 0;
    let at = 0;
    for (let first = 1; first < size; first = at * ARITY + 1) {
      let least = first;
      let leastTime = times[first] ?? 0;
      const end = first + ARITY < size ? first + ARITY : size;
      for (let child = first + 1; child < end; child++) {
        const childTime = times[child] ?? 0;
        if (childTime > leastTime) continue;
        if (childTime === leastTime && (orders[child] ?? 0) > (orders[least] ?? 0)) continue;
        least = child;
        leastTime = childTime;
      }
      if (leastTime > time || (leastTime === time && (orders[least] ?? 0) > order)) break;
      this.#copy(least, at);
      at = least;
    }
    this.#put(at, time, order, word);
  }

  #copy(from: number, to: number): void {
    this.#times[to] = this.#times[from] ?? 0;
    this.#orders[to] = this.#orders[from] ?? 0;
    this.#words[to] = this.#words[from] ?? 0;
  }

  #put(at: number, timeMs: number, order: number, word: number): void {
    this.#times[at] = timeMs;
    this.#orders[at] = order;
    this.#words[at] = word;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    this.#times = grown(this.#times, new Float64Array(size));
    this.#orders = grown(this.#orders, new Float64Array(size));
    this.#words = grown(this.#words, new Int32Array(size));
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
