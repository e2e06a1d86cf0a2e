/**
 * Purges of prefixes that end in the middle of a name: a short list that a hit after a purge walks.
 *
 * When the list is full, its oldest prefix is widened to the folder it lies in, which a table holds: too much is
 * purged then, never too little. The folder is noted before the row is overwritten, and readers look into the list
 * before they look into the table, so that a purge is in one of the two at every moment. Written under the store's
 * lock. A prefix longer than a row is cut to the row's length, which again purges more.
 */
import { type Block, HEADER, PREFIX_WORDS, PREFIXES } from "./layout.ts";
import { keyAt, RECORD, type RecordMemory } from "./record.ts";
import { isLater, PURGED, type Purged } from "./sequence.ts";

/** Words of a row before the bytes of the prefix. */
const ROW = { soft: 0, hard: 1, length: 2, bytes: 3 } as const;
const PREFIX_BYTES_MAX = (PREFIX_WORDS - ROW.bytes) * 4;

/** Told of a prefix that leaves the list: its bytes, hard or soft, its sequence. */
export type Widen = (prefix: Uint8Array, hard: boolean, sequence: number) => void;

/** The list, which lies in the block. */
export class PrefixList {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #first: number;

  constructor({ words, bytes, layout }: Block) {
    this.#words = words;
    this.#bytes = bytes;
    this.#first = layout.prefixes;
  }

  /** What the list means for the record at word `at` of `words`. O(rows). */
  check({ words, bytes }: RecordMemory, at: number, checked: number): Purged {
    const rows = Math.min(PREFIXES, Atomics.load(this.#words, HEADER.prefixNext));
    const start = keyAt(words, at) * 4 + (words[at + RECORD.urlStart] ?? 0);
    const length = (words[at + RECORD.keyBytes] ?? 0) - (words[at + RECORD.urlStart] ?? 0);
    const url = bytes.subarray(start, start + length);
    let found: Purged = PURGED.no;
    for (let index = 0; index < rows; index++) {
      const row = this.#row(index);
      const hard = isLater(this.#words[row + ROW.hard] ?? 0, checked);
      if (!hard && !isLater(this.#words[row + ROW.soft] ?? 0, checked)) continue;
      if (!this.#matches(row, url)) continue;
      if (hard) return PURGED.hard;
      found = PURGED.soft;
    }
    return found;
  }

  /** Shows every prefix of the list with its sequences (0: none). Under the lock. */
  each(visit: Widen): void {
    const rows = Math.min(PREFIXES, this.#words[HEADER.prefixNext] ?? 0);
    for (let index = 0; index < rows; index++) this.#widen(this.#row(index), visit);
  }

  /** Takes a row for `prefix`, telling `widen` what it held before. Under the lock. */
  makeRoom(prefix: Uint8Array, widen: Widen): void {
    if (this.#find(prefix) >= 0) return;
    const next = this.#words[HEADER.prefixNext] ?? 0;
    const row = this.#row(next % PREFIXES);
    if (next >= PREFIXES) this.#widen(row, widen);
    const length = Math.min(prefix.length, PREFIX_BYTES_MAX);
    this.#words[row + ROW.soft] = 0;
    this.#words[row + ROW.hard] = 0;
    this.#words[row + ROW.length] = length;
    this.#bytes.set(prefix.subarray(0, length), (row + ROW.bytes) * 4);
    Atomics.store(this.#words, HEADER.prefixNext, next + 1 < PREFIXES * 2 ? next + 1 : PREFIXES);
  }

  /** Notes a purge in the row of `prefix`. Under the lock, after `makeRoom`. */
  note(prefix: Uint8Array, hard: boolean, sequence: number): void {
    const row = this.#row(Math.max(0, this.#find(prefix)));
    Atomics.store(this.#words, row + (hard ? ROW.hard : ROW.soft), sequence);
  }

  #widen(row: number, widen: Widen): void {
    const from = (row + ROW.bytes) * 4;
    const prefix = this.#bytes.slice(from, from + (this.#words[row + ROW.length] ?? 0));
    const soft = this.#words[row + ROW.soft] ?? 0;
    const hard = this.#words[row + ROW.hard] ?? 0;
    if (soft !== 0) widen(prefix, false, soft);
    if (hard !== 0) widen(prefix, true, hard);
  }

  #find(prefix: Uint8Array): number {
    const length = Math.min(prefix.length, PREFIX_BYTES_MAX);
    const rows = Math.min(PREFIXES, this.#words[HEADER.prefixNext] ?? 0);
    for (let index = 0; index < rows; index++) {
      const row = this.#row(index);
      if (this.#words[row + ROW.length] !== length) continue;
      const from = (row + ROW.bytes) * 4;
      if (prefix.subarray(0, length).every((byte, offset) => this.#bytes[from + offset] === byte))
        return index;
    }
    return -1;
  }

  #matches(row: number, url: Uint8Array): boolean {
    const size = this.#words[row + ROW.length] ?? 0;
    if (size > url.length) return false;
    const from = (row + ROW.bytes) * 4;
    for (let offset = 0; offset < size; offset++) {
      if (this.#bytes[from + offset] !== url[offset]) return false;
    }
    return true;
  }

  #row(index: number): number {
    return this.#first + index * PREFIX_WORDS;
  }
}
