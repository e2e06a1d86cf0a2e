/**
 * Visits: a request is a tree of them, one for each node that it is at. Columns by number, with a free list, so that
 * ten million requests allocate nothing.
 *
 * A number is used again once its visit has ended; whoever remembers one for later (a timer) also remembers its
 * serial, which is never used again.
 */

const INITIAL = 1024;

/** No visit. */
export const NONE = -1;

/** The columns. What `unit`, `step`, `pending`, `mark` and `sinceMs` mean is the node's own business. */
export class Visits {
  #capacity = INITIAL;
  #free: Int32Array = new Int32Array(INITIAL);
  #freeCount = 0;
  #used = 0;
  #serial = 0;
  parent: Int32Array = new Int32Array(INITIAL);
  node: Int32Array = new Int32Array(INITIAL);
  route: Int32Array = new Int32Array(INITIAL);
  key: Int32Array = new Int32Array(INITIAL);
  serial: Float64Array = new Float64Array(INITIAL);
  /** When it began. */
  startMs: Float64Array = new Float64Array(INITIAL);
  /** When its work ends; an event of another time is not its own. */
  dueMs: Float64Array = new Float64Array(INITIAL);
  /** Task, server or target that it is at. */
  unit: Int32Array = new Int32Array(INITIAL);
  /** How far it has come. */
  step: Int32Array = new Int32Array(INITIAL);
  /** Visits that it waits for. */
  pending: Int32Array = new Int32Array(INITIAL);
  mark: Int32Array = new Int32Array(INITIAL);
  /** The visit that it made last. */
  child: Int32Array = new Int32Array(INITIAL);
  /** Which of its maker's calls it is. */
  call: Int32Array = new Int32Array(INITIAL);
  sinceMs: Float64Array = new Float64Array(INITIAL);
  /** Tries of the client before this one. */
  tries: Int32Array = new Int32Array(INITIAL);

  /** Visits under way. */
  get size(): number {
    return this.#used - this.#freeCount;
  }
  /** One more than the largest number in use. */
  get end(): number {
    return this.#used;
  }

  /** A fresh visit; its columns are those of a beginner. */
  take(parent: number, node: number, nowMs: number): number {
    const visit = this.#freeCount > 0 ? (this.#free[--this.#freeCount] ?? 0) : this.#extend();
    this.parent[visit] = parent;
    this.node[visit] = node;
    this.serial[visit] = ++this.#serial;
    this.startMs[visit] = nowMs;
    this.dueMs[visit] = Number.NaN;
    this.unit[visit] = NONE;
    this.step[visit] = 0;
    this.pending[visit] = 0;
    this.mark[visit] = 0;
    return visit;
  }

  give(visit: number): void {
    this.node[visit] = NONE;
    this.dueMs[visit] = Number.NaN;
    this.serial[visit] = 0;
    this.#free[this.#freeCount++] = visit;
  }

  #extend(): number {
    if (this.#used === this.#capacity) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    this.#capacity *= 2;
    const ints = (from: Int32Array): Int32Array => copied(from, new Int32Array(this.#capacity));
    const doubles = (from: Float64Array): Float64Array => copied(from, new Float64Array(this.#capacity));
    this.#free = ints(this.#free);
    this.parent = ints(this.parent);
    this.node = ints(this.node);
    this.route = ints(this.route);
    this.key = ints(this.key);
    this.serial = doubles(this.serial);
    this.startMs = doubles(this.startMs);
    this.dueMs = doubles(this.dueMs);
    this.unit = ints(this.unit);
    this.step = ints(this.step);
    this.pending = ints(this.pending);
    this.mark = ints(this.mark);
    this.child = ints(this.child);
    this.call = ints(this.call);
    this.sinceMs = doubles(this.sinceMs);
    this.tries = ints(this.tries);
  }
}

function copied<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
