/**
 * Histories: what clients asked a database and what they were told, with times. Checkers say what is wrong with one; they know
 * nothing of how it came about, so they judge a simulation and a real cluster alike.
 */

/** One thing that a transaction did. Values are never used twice for one key, so that each names its writer. */
export type Operation =
  /** Adds to the end of a list. */
  | { readonly kind: "append"; readonly key: string; readonly value: number }
  /** Reads a whole list. */
  | { readonly kind: "read"; readonly key: string; readonly values: readonly number[] }
  /** Replaces a register. */
  | { readonly kind: "write"; readonly key: string; readonly value: number }
  /** Reads a register; undefined = it was never written. */
  | { readonly kind: "get"; readonly key: string; readonly value: number | undefined }
  /** Reads all accounts of a bank. */
  | { readonly kind: "balances"; readonly balances: Readonly<Record<string, number>> };

/** One transaction of one client. */
export interface HistoryEntry {
  /** A client; it does one thing after the other. */
  readonly process: number;
  readonly invokedMs: number;
  /** When it was told, or gave up. */
  readonly completedMs: number;
  /** "unknown": the connection was lost; it may have been committed, also later. */
  readonly kind: "ok" | "failed" | "unknown";
  /** Reads of a transaction that is not "ok" say nothing. */
  readonly operations: readonly Operation[];
}

/** What a checker found. */
export interface Anomaly {
  /** Name in the literature where there is one: "G1a", "G-single", "lost-write", "stale-read". */
  readonly anomaly: string;
  readonly detail: string;
}
