/** A first-in-first-out queue of whole numbers in one typed array that grows by doubling. */

const INITIAL = 8;

/** Numbers in the order in which they came. */
export class IntQueue {
  #items = new Int32Array(INITIAL);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: number): void {
    if (this.#size === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#size) & (this.#items.length - 1)] = item;
    this.#size++;
  }

  /** The oldest, without taking it; -1 when there is none. */
  peek(): number {
    return this.#size === 0 ? -1 : (this.#items[this.#head] ?? -1);
  }

  /** Takes the oldest; -1 when there is none. */
  shift(): number {
    if (this.#size === 0) return -1;
    const item = this.#items[this.#head] ?? -1;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#size--;
    return item;
  }

  /** Takes out one item wherever it stands; false when it is not there. O(places to the head). */
  remove(item: number): boolean {
    const mask = this.#items.length - 1;
    for (let place = 0; place < this.#size; place++) {
      if (this.#items[(this.#head + place) & mask] !== item) continue;
      // Those before it move back: what runs out of time stands near the head.
      for (let i = place; i > 0; i--)
        this.#items[(this.#head + i) & mask] = this.#items[(this.#head + i - 1) & mask] ?? -1;
      this.#head = (this.#head + 1) & mask;
      this.#size--;
      return true;
    }
    return false;
  }

  #grow(): void {
    const grown = new Int32Array(this.#items.length * 2);
    for (let i = 0; i < this.#size; i++)
      grown[i] = this.#items[(this.#head + i) & (this.#items.length - 1)] ?? 0;
    this.#items = grown;
    this.#head = 0;
  }
}
