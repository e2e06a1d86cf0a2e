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
  /** Server connections of one database, whoever its users are; 0: as many as its pools have. */
  readonly databaseMax: number;
  /** Server connections of one user, whatever the databases; 0: as many as its pools have. */
  readonly userMax: number;
  /** Clients of one database, and of one user; 0: no bound of their own. */
  readonly databaseClientsMax: number;
  readonly userClientsMax: number;
  /** A server connection of this age is closed when it is free; 0: each is used once, for one session or one transaction. */
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
  /** …one whose query has no answer after so long: the query is cancelled; 0 = never. */
  readonly queryTimeoutMs: number;
  /** …one that holds no server connection and says nothing for so long; 0 = never. */
  readonly clientIdleMs: number;
  /** …one in the middle of a message of which a server has the beginning, unless it sends `MESSAGE_BYTES_PER_SECOND`; 0 = never. */
  readonly messageTimeoutMs: number;
}

/** What a client that sends one long message slowly must send to be waited for: the slowest modem did. */
export const MESSAGE_BYTES_PER_SECOND = 1024;

/** PgBouncer's, but for a queue with a bound, a transaction's end, and a message's. */
export const POOL_DEFAULTS: PoolSettings = {
  mode: "transaction",
  size: 20,
  reserve: 0,
  reserveTimeoutMs: 5_000,
  queueMax: 10_000,
  queueTimeoutMs: 120_000,
  databaseMax: 0,
  userMax: 0,
  databaseClientsMax: 0,
  userClientsMax: 0,
  serverLifetimeMs: 3_600_000,
  serverIdleMs: 600_000,
  serverCheckMs: 30_000,
  serverLoginTimeoutMs: 5_000,
  loginRetryMinMs: 100,
  loginRetryMaxMs: 15_000,
  preparedMax: 200,
  idleInTransactionMs: 0,
  queryTimeoutMs: 0,
  clientIdleMs: 0,
  messageTimeoutMs: 60_000,
};
