/** How a pool of server connections behaves. Names follow PgBouncer where it has them; durations are milliseconds. */
import { type DatabasePoolConfig, DEFAULTS } from "../../config/index.ts";

/** How long a client keeps a server connection: until it goes, until its transaction ends, until its statement ends. */
export type PoolMode = DatabasePoolConfig["mode"];

/** Settings of one pool: the server connections of one worker for one user of one database. Beyond the config's they are the router's own. */
export interface PoolSettings extends DatabasePoolConfig {
  /** A client that has waited for so long may have one of the reserve. */
  readonly reserveTimeoutMs: number;
  /** A free connection unused for so long is asked whether it lives; 0 = never. */
  readonly serverCheckMs: number;
  /** Longest wait until a server lets us in, and for the answer to that question. */
  readonly serverLoginTimeoutMs: number;
  /** Waits after a failed log-in: the first, doubled up to the last. */
  readonly loginRetryMinMs: number;
  readonly loginRetryMaxMs: number;
  /** Statements that one server connection keeps prepared. */
  readonly preparedMax: number;
}

/** What a client that sends one long message slowly must send to be waited for: the slowest modem did. */
export const MESSAGE_BYTES_PER_SECOND = 1024;

/** PgBouncer's, but for a queue with a bound, a transaction's end, and a message's. */
export const POOL_DEFAULTS: PoolSettings = {
  ...DEFAULTS.database.pool,
  reserveTimeoutMs: 5_000,
  serverCheckMs: 30_000,
  serverLoginTimeoutMs: 5_000,
  loginRetryMinMs: 100,
  loginRetryMaxMs: 15_000,
  preparedMax: 200,
};
