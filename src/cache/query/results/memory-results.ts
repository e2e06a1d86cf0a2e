/** Answers in the memory of this process: bounded by bytes, the one not asked for longest goes first. */
import type { Clock } from "../../../base/index.ts";
import type { ResultStore, StoredAnswer } from "./results.ts";

/** What it is made of. */
export interface MemoryResultsOptions {
  readonly clock: Clock;
  /** Default 64 MiB. */
  readonly bytesMax?: number;
}

interface Row {
  readonly stored: StoredAnswer;
  readonly untilMs: number;
  readonly bytes: number;
}

const BYTES_MAX = 64 * 1024 * 1024;

/** Makes a store of answers in memory. */
export function memoryResults({ clock, bytesMax = BYTES_MAX }: MemoryResultsOptions): ResultStore {
  const rows = new Map<string, Row>();
  let bytesUsed = 0;
  const remove = (key: string, row: Row): void => {
    rows.delete(key);
    bytesUsed -= row.bytes;
  };
  return {
    get: async (key) => {
      const row = rows.get(key);
      if (row === undefined) return undefined;
      rows.delete(key);
      if (row.untilMs <= clock.nowMs()) {
        bytesUsed -= row.bytes;
        return undefined;
      }
      rows.set(key, row);
      return row.stored;
    },
    set: async (key, stored, ttlMs, bytes) => {
      const before = rows.get(key);
      if (before !== undefined) remove(key, before);
      rows.set(key, { stored, untilMs: clock.nowMs() + ttlMs, bytes });
      bytesUsed += bytes;
      for (const [oldest, row] of rows) {
        if (bytesUsed <= bytesMax) break;
        remove(oldest, row);
      }
    },
  };
}
