/** A first-in-first-out queue with a bound: a ring over one array, so that neither end ever moves the rest. */

/** A queue that refuses more than `capacity` items. Every operation is O(1) and allocates nothing. */
export class BoundedQueue<T> {
  /** The most items it holds. */
  readonly capacity: number;
  readonly #ring: (T | undefined)[];
  #head = 0;
  #size = 0;

  /** @throws RangeError unless `capacity` is a whole number of at least 1. */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`queue capacity must be a whole number of at least 1, not ${capacity}`);
    }
    this.capacity = capacity;
    this.#ring = Array.from<T | undefined>({ length: capacity });
  }

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds at the end; false when the queue is full, and then nothing changed. */
  push(item: T): boolean {
    if (this.#size === this.capacity) return false;
    this.#ring[(this.#head + this.#size) % this.capacity] = item;
    this.#size++;
    return true;
  }

  /** Takes the oldest item; undefined when the queue is empty. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    // The slot lets go of the item: a ring that keeps what it handed out leaks up to `capacity` of them.
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.capacity;
    this.#size--;
    return item;
  }

  /** The oldest item, left in place; undefined when the queue is empty. */
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }
}
