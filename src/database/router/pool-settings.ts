/** How a pool of server connections behaves. Names follow PgBouncer where it has them; durations are milliseconds. */

/** How long a client keeps a server connection: until it goes, until its transaction ends, until its statement ends. */
export type PoolMode = "session" | "transaction" | "statement";

/** Settings of one pool: the server connections of one worker for one user of one database. */
export interface PoolSettings {
  readonly mode: PoolMode;
  /** Server connections. */
  readonly size: number;
  /** Further ones when a client has waited `reserveTimeoutMs`. */
  readonly reserve: number;
  readonly reserveTimeoutMs: number;
  /** Clients that may wait for a server connection. */
  readonly queueMax: number;
  /** Longest wait for one. */
  readonly queueTimeoutMs: number;
  /** A server connection of this age is closed when it is free; 0 = never. */
  readonly serverLifetimeMs: number;
  /** A free one unused for so long is closed; 0 = never. */
  readonly serverIdleMs: number;
  /** A free one unused for so long is asked whether it lives; 0 = never. */
  readonly serverCheckMs: number;
  /** Longest wait until a server lets us in, and for the answer to that question. */
  readonly serverLoginTimeoutMs: number;
  /** Waits after a failed log-in: the first, doubled up to the last. */
  readonly loginRetryMinMs: number;
  readonly loginRetryMaxMs: number;
  /** Statements that one server connection keeps prepared. */
  readonly preparedMax: number;
  /** A client that leaves its transaction open and idle for so long is closed; 0 = never. */
  readonly idleInTransactionMs: number;
}

/** PgBouncer's, but for a queue with a bound and a transaction's end. */
export const POOL_DEFAULTS: PoolSettings = {
  mode: "transaction",
  size: 20,
  reserve: 0,
  reserveTimeoutMs: 5_000,
  queueMax: 10_000,
  queueTimeoutMs: 120_000,
  serverLifetimeMs: 3_600_000,
  serverIdleMs: 600_000,
  serverCheckMs: 30_000,
  serverLoginTimeoutMs: 5_000,
  loginRetryMinMs: 100,
  loginRetryMaxMs: 15_000,
  preparedMax: 200,
  idleInTransactionMs: 0,
};
