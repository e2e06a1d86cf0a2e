/**
 * What a statement's text says by itself, before any catalog is asked: which relations and functions it names, what it
 * changes, and whether its shape alone keeps it out of the cache.
 */
import type { Reason } from "../reasons.ts";

/** A name as it was written, folded as PostgreSQL folds it; `schema` is undefined where none was given. */
export interface Name {
  readonly schema: string | undefined;
  readonly name: string;
}

/** What is done to a table. "truncate-cascade" also empties what references it. */
export type WriteOperation = "insert" | "update" | "delete" | "truncate" | "truncate-cascade";

/** One table that a statement changes. */
export interface Write {
  readonly table: Name;
  readonly operation: WriteOperation;
}

/** A step of transaction control. */
export type TransactionStep = "begin" | "commit" | "commit-chain" | "rollback" | "rollback-chain" | "prepare";

/** What else a statement does: "everything" may change any table, "schema" may change any definition as well. */
export type Effect = "none" | "everything" | "schema";

/** What a session is afterwards: as before, other settings until the transaction ends, other settings or tables, as new. */
export type SessionChange = "kept" | "changed-locally" | "changed" | "reset";

/** The facts of one text. Sets keep the order of their first mention. */
export interface Facts {
  /** How many statements the text holds. */
  readonly statements: number;
  /** Why its shape keeps it out of the cache; undefined where the catalog decides. */
  readonly refusal: Reason | undefined;
  readonly reads: readonly Name[];
  readonly functions: readonly Name[];
  readonly operators: readonly string[];
  /** Names after a dot, which may be columns or functions. */
  readonly attributes: readonly string[];
  readonly writes: readonly Write[];
  readonly effect: Effect;
  /** Whether an error may come after something was committed. */
  readonly commitsMidway: boolean;
  readonly session: SessionChange;
  /** Transaction control, in order. */
  readonly steps: readonly TransactionStep[];
}
