/** Versions in the memory of one process: right only where that process alone writes to the database. */
import type { Clock } from "../../../base/index.ts";
import { MARK_MS, SCHEMA, type VersionStore, type WriteToken } from "./versions.ts";

interface Row {
  version: number;
  /** Token id -> when the mark expires, on the monotonic clock. */
  readonly marks: Map<string, number>;
}

/** What memory versions are made of. */
export interface MemoryVersionsOptions {
  readonly clock: Clock;
  /** Default `MARK_MS`. */
  readonly markMs?: number;
}

/** Makes versions in memory. They grow with the number of tables, by some hundred bytes each. */
export function memoryVersions({ clock, markMs = MARK_MS }: MemoryVersionsOptions): VersionStore {
  const rows = new Map<string, Row>();
  let tokens = 0;

  /** The row of a table, its expired marks turned into one change. */
  const rowOf = (table: string): Row => {
    let row = rows.get(table);
    if (row === undefined) rows.set(table, (row = { version: 1, marks: new Map() }));
    if (row.marks.size > 0) expire(row, clock.nowMs());
    return row;
  };
  const schema = (): string | undefined => {
    const row = rowOf(SCHEMA);
    return row.marks.size > 0 ? undefined : String(row.version);
  };
  const mark = (token: WriteToken): void => {
    for (const table of token.tables) rowOf(table).marks.set(token.id, clock.nowMs() + markMs);
  };

  return {
    markMs,
    snapshot: async (tables) => {
      const found = tables.map(rowOf);
      return found.some((row) => row.marks.size > 0) ? undefined : found.map((row) => String(row.version));
    },
    before: async (tables) => {
      const token: WriteToken = { id: String(++tokens), tables, schema: schema() };
      mark(token);
      return token;
    },
    renew: async (token) => mark(token),
    committed: async (token) => {
      for (const table of token.tables) {
        const row = rowOf(table);
        row.version += 1;
        row.marks.delete(token.id);
      }
      return schema();
    },
    rolledBack: async (token) => {
      for (const table of token.tables) rowOf(table).marks.delete(token.id);
    },
  };
}

function expire(row: Row, nowMs: number): void {
  for (const [id, untilMs] of row.marks) {
    if (untilMs > nowMs) continue;
    row.marks.delete(id);
    row.version += 1;
  }
}
