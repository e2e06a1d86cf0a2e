/** The write-ahead log of a model of Postgres: records in order, each with the position at which it ends. */
import type { Lsn } from "../../../pgwire/index.ts";

/** What a client had written, or nothing for Postgres' own records. */
export interface Write {
  readonly key: string;
  readonly value: number;
}

/** A record; the same object in all logs that have it, so that histories compare by identity. */
export interface LogRecord {
  readonly end: Lsn;
  readonly timeline: number;
  readonly write: Write | undefined;
}

/** How many records two logs have in common from the beginning. O(log n): a log never changes behind a difference. */
export function commonPrefix(one: readonly LogRecord[], other: readonly LogRecord[]): number {
  let low = 0;
  let high = Math.min(one.length, other.length);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (one[middle - 1] === other[middle - 1]) low = middle;
    else high = middle - 1;
  }
  return low;
}
