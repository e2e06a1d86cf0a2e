/**
 * The recordings of one worker that are under way, by their keys: lists in a table of fixed size, linked through the
 * recordings themselves.
 *
 * Not a Map: one that is filled and emptied with each miss makes its inner table anew every few entries, and from each old
 * table the engine goes on to the next. A collection of young objects keeps them all then, with what they hold.
 */
import type { CacheKey } from "./cache-key.ts";

/** Rows of the table: a worker with this many fetches under way has one in each row. A power of two. */
const ROWS = 1024;

type Hashes = Pick<CacheKey, "hashHi" | "hashLo">;

/** What the table asks of a recording. */
export interface Listed<T> {
  readonly order: { readonly key: Hashes };
  /** The next one in its row. */
  next: T | undefined;
}

export class Recordings<T extends Listed<T>> {
  readonly #rows: (T | undefined)[] = Array.from({ length: ROWS }, () => undefined);

  /** The latest recording whose key has these hashes: keys are compared byte by byte after it. */
  get(key: Hashes): T | undefined {
    let found = this.#rows[rowOf(key)];
    while (found !== undefined && !isOf(found, key)) found = found.next;
    return found;
  }

  /** Adds a recording, in the place of another one of its key. */
  add(recording: T): void {
    const { key } = recording.order;
    const before = this.get(key);
    if (before !== undefined) this.delete(before);
    const row = rowOf(key);
    recording.next = this.#rows[row];
    this.#rows[row] = recording;
  }

  /** Takes a recording out; false when it is not there, or no longer. */
  delete(recording: T): boolean {
    const row = rowOf(recording.order.key);
    let before: T | undefined;
    let found = this.#rows[row];
    while (found !== undefined && found !== recording) {
      before = found;
      found = found.next;
    }
    if (found === undefined) return false;
    if (before === undefined) this.#rows[row] = recording.next;
    else before.next = recording.next;
    recording.next = undefined;
    return true;
  }
}

function rowOf({ hashLo }: Hashes): number {
  return hashLo & (ROWS - 1);
}

function isOf(
  { order: { key } }: { readonly order: { readonly key: Hashes } },
  { hashHi, hashLo }: Hashes,
): boolean {
  return key.hashHi === hashHi && key.hashLo === hashLo;
}
