/** What SHOW shows but for statistics: columns as PgBouncer 1.24 has them, in its order. */
import type { Shown } from "./commands.ts";
import { configTable } from "./config-table.ts";
import { type ConsoleFacts, isPaused, type Table } from "./facts.ts";
import { clientsTable, serversTable } from "./socket-tables.ts";
import type { PoolState } from "./state.ts";
import { statsAveragesTable, statsTable, statsTotalsTable, totalsTable } from "./stats-tables.ts";

/** Whose columns these are. */
const PGBOUNCER = "PgBouncer 1.24.1";

const TABLES: Readonly<Record<Exclude<Shown, "HELP">, (facts: ConsoleFacts) => Table>> = {
  VERSION: ({ version }) => ({
    columns: ["version"],
    rows: [[`Tenfold ${version} (as ${PGBOUNCER})`]],
  }),
  STATS: statsTable,
  STATS_TOTALS: statsTotalsTable,
  STATS_AVERAGES: statsAveragesTable,
  TOTALS: totalsTable,
  POOLS: poolsTable,
  CLIENTS: clientsTable,
  SERVERS: serversTable,
  LISTS: listsTable,
  USERS: usersTable,
  DATABASES: databasesTable,
  CONFIG: configTable,
  MEM: memTable,
  STATE: stateTable,
};

/** The table of a SHOW. */
export function showTable(what: Exclude<Shown, "HELP">, facts: ConsoleFacts): Table {
  return TABLES[what](facts);
}

const POOL_COLUMNS = [
  "database",
  "user",
  "cl_active",
  "cl_waiting",
  "cl_active_cancel_req",
  "cl_waiting_cancel_req",
  "sv_active",
  "sv_active_cancel",
  "sv_being_canceled",
  "sv_idle",
  "sv_used",
  "sv_tested",
  "sv_login",
  "maxwait",
  "maxwait_us",
  "pool_mode",
  "load_balance_hosts",
];

/** Cancel requests go out at once, so none waits; free connections are asked on their own whether they live, so none is "used". */
function poolsTable(facts: ConsoleFacts): Table {
  const rows = poolsNow(facts).map((pool) => [
    pool.database,
    pool.user,
    String(pool.clientsActive),
    String(pool.clientsWaiting),
    String(pool.cancels),
    "0",
    String(pool.serversActive),
    String(pool.cancels),
    String(pool.serversBeingCancelled),
    String(pool.serversIdle),
    "0",
    String(pool.serversTested),
    String(pool.serversInLogin),
    String(Math.floor(pool.longestWaitMs / 1000)),
    String(Math.round((pool.longestWaitMs % 1000) * 1000)),
    pool.mode,
    null,
  ]);
  return { columns: POOL_COLUMNS, rows };
}

/** Sums over workers and servers, by database and user. */
function poolsNow({ states }: ConsoleFacts): readonly PoolState[] {
  const sums = new Map<string, PoolState>();
  for (const pool of states.flatMap(({ pools }) => pools)) {
    const key = `${pool.database}\0${pool.user}`;
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? pool : bothPools(sum, pool));
  }
  return [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, pool]) => pool);
}

function bothPools(a: PoolState, b: PoolState): PoolState {
  return {
    ...a,
    clientsActive: a.clientsActive + b.clientsActive,
    clientsWaiting: a.clientsWaiting + b.clientsWaiting,
    cancels: a.cancels + b.cancels,
    serversActive: a.serversActive + b.serversActive,
    serversBeingCancelled: a.serversBeingCancelled + b.serversBeingCancelled,
    serversIdle: a.serversIdle + b.serversIdle,
    serversTested: a.serversTested + b.serversTested,
    serversInLogin: a.serversInLogin + b.serversInLogin,
    longestWaitMs: Math.max(a.longestWaitMs, b.longestWaitMs),
  };
}

function serversOf(pool: PoolState): number {
  const { serversActive, serversBeingCancelled, serversIdle, serversTested, serversInLogin } = pool;
  return serversActive + serversBeingCancelled + serversIdle + serversTested + serversInLogin;
}

/** There are no lists of spare objects, as PgBouncer's `free_` are, and names are resolved by the system. */
function listsTable(facts: ConsoleFacts): Table {
  const { states } = facts;
  const pools = poolsNow(facts);
  const inLogin = states.reduce((sum, { clientsInLogin }) => sum + clientsInLogin, 0);
  const admins = states.reduce((sum, state) => sum + state.admins.length, 0);
  const clients = pools.reduce((sum, pool) => sum + pool.clientsActive + pool.clientsWaiting, 0);
  const rows: [string, number][] = [
    ["databases", databaseNames(facts).length],
    ["users", userNames(facts).length],
    ["peers", 0],
    ["pools", pools.length],
    ["peer_pools", 0],
    ["free_clients", 0],
    ["used_clients", clients + admins],
    ["login_clients", inLogin],
    ["free_servers", 0],
    ["used_servers", pools.reduce((sum, pool) => sum + serversOf(pool), 0)],
    ["dns_names", 0],
    ["dns_zones", 0],
    ["dns_queries", 0],
    ["dns_pending", 0],
  ];
  return { columns: ["list", "items"], rows: rows.map(([list, items]) => [list, String(items)]) };
}

const USER_COLUMNS = [
  "name",
  "pool_size",
  "reserve_pool_size",
  "pool_mode",
  "max_user_connections",
  "current_connections",
  "max_user_client_connections",
  "current_client_connections",
];

/** Nobody has sizes and a mode of his own. */
function usersTable(facts: ConsoleFacts): Table {
  const pools = poolsNow(facts);
  const rows = userNames(facts).map((name) => {
    const own = pools.filter(({ user }) => user === name);
    const { userMax, userClientsMax } = facts.pool;
    return [name, "", "", null, ...counts(userMax, userClientsMax, own)];
  });
  return { columns: USER_COLUMNS, rows };
}

/** Server connections and clients of some pools, each behind its bound. */
function counts(serversMax: number, clientsMax: number, pools: readonly PoolState[]): string[] {
  const servers = pools.reduce((sum, pool) => sum + serversOf(pool), 0);
  const clients = pools.reduce((sum, pool) => sum + pool.clientsActive + pool.clientsWaiting, 0);
  return [serversMax, servers, clientsMax, clients].map(String);
}

function userNames(facts: ConsoleFacts): readonly string[] {
  const names = [...facts.users, ...facts.adminUsers, ...poolsNow(facts).map(({ user }) => user)];
  return [...new Set(names)].toSorted();
}

function databaseNames(facts: ConsoleFacts): readonly string[] {
  const names = [...facts.paused.databases, ...poolsNow(facts).map(({ database }) => database)];
  return [...new Set(names)].toSorted();
}

const DATABASE_COLUMNS = [
  "name",
  "host",
  "port",
  "database",
  "force_user",
  "pool_size",
  "min_pool_size",
  "reserve_pool_size",
  "server_lifetime",
  "pool_mode",
  "load_balance_hosts",
  "max_connections",
  "current_connections",
  "max_client_connections",
  "current_client_connections",
  "paused",
  "disabled",
];

/** Those that were asked for: all of a server's may be. */
function databasesTable(facts: ConsoleFacts): Table {
  const { pool, primary, paused } = facts;
  const pools = poolsNow(facts);
  const rows = databaseNames(facts).map((name) => [
    name,
    primary?.host ?? null,
    primary === undefined ? null : String(primary.port),
    name,
    null,
    String(pool.size),
    "0",
    String(pool.reserve),
    String(Math.floor(pool.serverLifetimeMs / 1000)),
    pool.mode,
    null,
    ...counts(
      pool.databaseMax,
      pool.databaseClientsMax,
      pools.filter(({ database }) => database === name),
    ),
    isPaused(paused, name) ? "1" : "0",
    "0",
  ]);
  return { columns: DATABASE_COLUMNS, rows };
}

/** One row for each worker process: what the system says that it holds in memory. */
function memTable({ states }: ConsoleFacts): Table {
  const rows = states.map(({ worker, memoryBytes }) => [
    `worker_${worker}`,
    String(memoryBytes),
    "1",
    "0",
    String(memoryBytes),
  ]);
  return { columns: ["name", "size", "used", "free", "memtotal"], rows };
}

/** As PgBouncer from 1.20 on. */
function stateTable({ paused }: ConsoleFacts): Table {
  const rows = [
    ["active", paused.all ? "no" : "yes"],
    ["paused", paused.all ? "yes" : "no"],
    ["suspended", "no"],
  ];
  return { columns: ["key", "value"], rows };
}
