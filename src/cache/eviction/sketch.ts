/**
 * A count-min sketch of four-bit counters (Cormode & Muthukrishnan, 2005; the ageing is TinyLFU's): about how often
 * keys were used of late, in eight bytes per entry of the cache.
 *
 * All counters are halved after ten uses per entry, so that what was popular once is forgotten.
 */

/** Rows; a key has one counter in each, and the least of them is its count. */
const ROWS = 4;
/** Counters per row and entry: 16 counters of half a byte in four rows are 8 bytes. */
const PER_ENTRY = 4;
const COUNT_MAX = 15;
/** Uses per entry between two halvings, as in Caffeine. */
const SAMPLE_PER_ENTRY = 10;
const ENTRIES_MIN = 64;

/** Counts up to 15 by hash of the key. */
export class Sketch {
  /** One row after the other, two counters to a byte. */
  #cells: Uint8Array = new Uint8Array(0);
  #mask = 0;
  #entries = 0;
  #uses = 0;

  /** Makes it large enough for so many entries; all counts start anew when it grows. */
  ensure(entries: number): void {
    if (entries <= this.#entries) return;
    this.#entries = 2 ** Math.ceil(Math.log2(Math.max(ENTRIES_MIN, entries)));
    const width = this.#entries * PER_ENTRY;
    this.#cells = new Uint8Array((width * ROWS) / 2);
    this.#mask = width - 1;
    this.#uses = 0;
  }

  /** Counts one use. */
  add(hash: number): void {
    let isCounted = false;
    for (let row = 0; row < ROWS; row++) {
      const at = this.#at(hash, row);
      const shift = (at & 1) * 4;
      const cell = this.#cells[at >> 1] ?? 0;
      if (((cell >> shift) & COUNT_MAX) === COUNT_MAX) continue;
      this.#cells[at >> 1] = cell + (1 << shift);
      isCounted = true;
    }
    if (isCounted && ++this.#uses >= this.#entries * SAMPLE_PER_ENTRY) this.#halve();
  }

  /** About how often, never too low but for the halvings. */
  count(hash: number): number {
    let least = COUNT_MAX;
    for (let row = 0; row < ROWS; row++) {
      const at = this.#at(hash, row);
      least = Math.min(least, ((this.#cells[at >> 1] ?? 0) >> ((at & 1) * 4)) & COUNT_MAX);
    }
    return least;
  }

  #halve(): void {
    for (let at = 0; at < this.#cells.length; at++) {
      this.#cells[at] = ((this.#cells[at] ?? 0) >> 1) & 0x77;
    }
    this.#uses >>= 1;
  }

  /** The number of the key's counter in a row: each row mixes the hash with its own odd number. */
  #at(hash: number, row: number): number {
    let mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d + row * 0x1e35_a7be);
    mixed ^= mixed >>> 13;
    return row * (this.#mask + 1) + (mixed & this.#mask);
  }
}
