/**
 * Bytes that have arrived and are not used up. What comes in is borrowed and read where it lies; only the beginning of a
 * message whose rest is still to come is copied.
 */

/** Memory of its own beyond this is given back when nothing is held any more. */
const KEEP_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** A window `[at, end)` over bytes that are borrowed or held. */
export class Inbox {
  bytes: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  #own: Uint8Array = NOTHING;
  #isOwn = true;

  /** How many bytes wait. */
  get length(): number {
    return this.end - this.at;
  }

  /** Bytes of memory of its own. */
  get heldBytes(): number {
    return this.#own.length;
  }

  /** Adds `bytes[start, end)`, borrowed until `hold`. Moves the window when something is held already. */
  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.at === this.end) {
      this.bytes = bytes;
      this.at = start;
      this.end = end;
      this.#isOwn = false;
      return;
    }
    this.#reserve(end - start);
    this.#own.set(bytes.subarray(start, end), this.end);
    this.end += end - start;
  }

  /** Takes a copy of what waits, so that the borrowed bytes may go. Positions in the window count from `at` then as before. */
  hold(): void {
    if (this.at === this.end) {
      this.#isOwn = true;
      this.at = this.end = 0;
      if (this.#own.length > KEEP_BYTES) this.#own = NOTHING;
      this.bytes = this.#own;
    } else if (!this.#isOwn) {
      this.#reserve(0);
    }
  }

  /** Room for `more` bytes after the window, in memory of its own. */
  #reserve(more: number): void {
    const length = this.end - this.at;
    const fits = length + more <= this.#own.length;
    if (this.#isOwn && this.end + more <= this.#own.length) return;
    const into = fits ? this.#own : new Uint8Array(Math.max(256, 2 * length, length + more));
    if (this.#isOwn && fits) into.copyWithin(0, this.at, this.end);
    else into.set(this.bytes.subarray(this.at, this.end), 0);
    this.#own = into;
    this.#isOwn = true;
    this.bytes = into;
    this.at = 0;
    this.end = length;
  }
}
