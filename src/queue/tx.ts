/** Clients of a transaction that the user has begun, whatever library it is of: what writes a job or an event in it. */

/** What can run a statement: a client of pg or `tenfold/db`, or an adapter (`fromKysely`, `fromDrizzle` … of pg-boss). */
export type Tx =
  | { query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> }
  | { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> };

/** The same in the one shape that pg-boss takes. */
export interface SqlRunner {
  // oxlint-disable-next-line typescript/no-explicit-any -- pg-boss' own type
  executeSql(text: string, values?: unknown[]): Promise<{ rows: any[] }>;
}

/** Runs statements by the client. */
export function runnerOf(tx: Tx): SqlRunner {
  if ("executeSql" in tx) return tx;
  return { executeSql: (text, values) => tx.query(text, values) };
}
