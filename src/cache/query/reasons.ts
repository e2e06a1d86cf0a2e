/**
 * Why a query is not answered from the cache: one literal per reason, the same in `explain`, statistics and metrics.
 */

/** Reason -> what it says. */
export const REASONS = {
  writes: "it changes data",
  command: "it is a command, not a query",
  "several-statements": "it holds several statements",
  unparsable: "it cannot be parsed",
  "unknown-syntax": "it uses syntax that the cache does not know",
  "no-tables": "it reads no table",
  "row-locking": "it locks the rows that it reads",
  "random-sample": "it reads a random sample",
  "function-unknown": "it calls a function that is not known to give the same answer each time",
  "function-unstable": "it calls a function whose answer depends on the time, the session or the server",
  "operator-unknown": "it uses an operator of yours whose function is not immutable",
  "time-literal": 'it holds a text such as "now" or "today", which PostgreSQL reads as a time',
  "system-catalog": "it reads PostgreSQL's own catalog",
  "relation-unknown": "it reads a relation that the catalog does not have",
  "relation-kind": "it reads a sequence or a foreign table, whose changes nobody sees",
  "row-security": "it reads a table with row-level security",
  "view-too-deep": "it reads views of views of views beyond all measure",
  "in-transaction": "it runs in a transaction",
  "session-changed": "its session has settings or temporary tables of its own",
  "being-written": "a table that it reads is being written",
  "parameter-kind": "it has a parameter that cannot be made part of a key",
  "binary-format": "it asks for the binary format",
  stream: "it is a cursor or a stream",
  "client-unknown": "the client's results are not those of pg",
  "catalog-unavailable": "the database's catalog could not be read",
  "store-unavailable": "the store of versions does not answer",
  "pending-write": "a write of this process could not be announced yet",
  "opted-out": "the caller said cache: false",
} as const;

/** One reason. */
export type Reason = keyof typeof REASONS;
