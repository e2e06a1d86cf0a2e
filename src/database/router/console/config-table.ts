/** SHOW CONFIG: the router's settings that PgBouncer has as well, by its names and in its units (seconds). */
import { POOL_DEFAULTS } from "../pool-settings.ts";
import type { ConsoleFacts, Table } from "./facts.ts";

type Row = readonly [key: string, value: (facts: ConsoleFacts) => string, fallback: string, change: boolean];

const seconds = (ms: number): string => String(ms / 1000);

const ROWS: readonly Row[] = [
  ["admin_users", ({ adminUsers }) => adminUsers.join(","), "", true],
  ["auth_type", ({ authentication }) => authType(authentication), "scram-sha-256", true],
  [
    "client_idle_timeout",
    ({ pool }) => seconds(pool.clientIdleMs),
    seconds(POOL_DEFAULTS.clientIdleMs),
    true,
  ],
  ["client_login_timeout", ({ loginTimeoutMs }) => seconds(loginTimeoutMs), "60", true],
  ["client_tls_sslmode", ({ clientTls }) => clientTls, "disable", false],
  ["default_pool_size", ({ pool }) => String(pool.size), String(POOL_DEFAULTS.size), true],
  [
    "idle_transaction_timeout",
    ({ pool }) => seconds(pool.idleInTransactionMs),
    seconds(POOL_DEFAULTS.idleInTransactionMs),
    true,
  ],
  ["listen_addr", ({ listen }) => listen.host, "127.0.0.1", false],
  ["listen_port", ({ listen }) => String(listen.port), "6432", false],
  ["max_client_conn", ({ clientsMax }) => String(clientsMax), "10000", true],
  [
    "max_db_client_connections",
    ({ pool }) => String(pool.databaseClientsMax),
    String(POOL_DEFAULTS.databaseClientsMax),
    true,
  ],
  ["max_db_connections", ({ pool }) => String(pool.databaseMax), String(POOL_DEFAULTS.databaseMax), true],
  [
    "max_prepared_statements",
    ({ pool }) => String(pool.preparedMax),
    String(POOL_DEFAULTS.preparedMax),
    true,
  ],
  [
    "max_user_client_connections",
    ({ pool }) => String(pool.userClientsMax),
    String(POOL_DEFAULTS.userClientsMax),
    true,
  ],
  ["max_user_connections", ({ pool }) => String(pool.userMax), String(POOL_DEFAULTS.userMax), true],
  ["pool_mode", ({ pool }) => pool.mode, POOL_DEFAULTS.mode, true],
  ["query_timeout", ({ pool }) => seconds(pool.queryTimeoutMs), seconds(POOL_DEFAULTS.queryTimeoutMs), true],
  [
    "query_wait_timeout",
    ({ pool }) => seconds(pool.queueTimeoutMs),
    seconds(POOL_DEFAULTS.queueTimeoutMs),
    true,
  ],
  ["reserve_pool_size", ({ pool }) => String(pool.reserve), String(POOL_DEFAULTS.reserve), true],
  [
    "reserve_pool_timeout",
    ({ pool }) => seconds(pool.reserveTimeoutMs),
    seconds(POOL_DEFAULTS.reserveTimeoutMs),
    true,
  ],
  [
    "server_check_delay",
    ({ pool }) => seconds(pool.serverCheckMs),
    seconds(POOL_DEFAULTS.serverCheckMs),
    true,
  ],
  [
    "server_connect_timeout",
    ({ pool }) => seconds(pool.serverLoginTimeoutMs),
    seconds(POOL_DEFAULTS.serverLoginTimeoutMs),
    true,
  ],
  [
    "server_idle_timeout",
    ({ pool }) => seconds(pool.serverIdleMs),
    seconds(POOL_DEFAULTS.serverIdleMs),
    true,
  ],
  [
    "server_lifetime",
    ({ pool }) => seconds(pool.serverLifetimeMs),
    seconds(POOL_DEFAULTS.serverLifetimeMs),
    true,
  ],
  [
    "server_login_retry",
    ({ pool }) => seconds(pool.loginRetryMaxMs),
    seconds(POOL_DEFAULTS.loginRetryMaxMs),
    true,
  ],
  ["server_tls_sslmode", ({ serverTls }) => serverTls, "prefer", true],
  ["stats_period", ({ periodMs }) => seconds(periodMs), "60", false],
];

/** What PgBouncer has and the router has not is left out. */
export function configTable(facts: ConsoleFacts): Table {
  return {
    columns: ["key", "value", "default", "changeable"],
    rows: ROWS.map(([key, value, fallback, change]) => [key, value(facts), fallback, change ? "yes" : "no"]),
  };
}

function authType(authentication: string): string {
  return authentication === "trust" ? "trust" : "scram-sha-256";
}
