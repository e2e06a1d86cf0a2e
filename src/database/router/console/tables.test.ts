import { expect, test } from "bun:test";
import { POOL_DEFAULTS } from "../pool-settings.ts";
import type { ConsoleFacts, Table } from "./facts.ts";
import type { PoolState, WorkerState } from "./state.ts";
import { showTable } from "./tables.ts";
import { DatabaseTraffic, type Traffic } from "./traffic.ts";

function traffic(of: Partial<Traffic>): Traffic {
  return { ...trafficOfNone, ...of };
}
const trafficOfNone: Traffic = Object.assign({}, new DatabaseTraffic());

const POOL: PoolState = {
  database: "shop",
  user: "ann",
  mode: "transaction",
  clientsActive: 3,
  clientsWaiting: 1,
  cancels: 0,
  serversActive: 2,
  serversBeingCancelled: 0,
  serversIdle: 1,
  serversTested: 0,
  serversInLogin: 1,
  longestWaitMs: 1250.5,
};

function workerOf(worker: number, of: Partial<WorkerState> = {}): WorkerState {
  return {
    worker,
    memoryBytes: 1000,
    traffic: [],
    pools: [],
    clientsInLogin: 0,
    admins: [],
    clients: [],
    servers: [],
    ...of,
  };
}

function factsOf(states: readonly WorkerState[], more: Partial<ConsoleFacts> = {}): ConsoleFacts {
  return {
    version: "1",
    states,
    listen: { host: "127.0.0.1", port: 6432 },
    primary: { host: "10.0.0.5", port: 5432 },
    pool: { ...POOL_DEFAULTS, size: 7 },
    clientsMax: 100,
    loginTimeoutMs: 60_000,
    authentication: "scram",
    clientTls: "disable",
    serverTls: "prefer",
    users: ["bob"],
    adminUsers: ["root"],
    paused: { all: false, databases: [] },
    before: new Map(),
    beforeMs: 10_000,
    periodMs: 60_000,
    ...more,
  };
}

/** Rows by the names of their columns. */
function records({ columns, rows }: Table): Record<string, string | null>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])));
}

test("STATS adds workers up, and takes averages over what is recent", () => {
  const of = traffic({
    transactions: 300,
    queries: 600,
    receivedBytes: 5000,
    transactionMs: 900,
    waitMs: 40,
  });
  const states = [0, 1].map((worker) => workerOf(worker, { traffic: [["shop", of]] }));
  const before = new Map([["shop", traffic({ transactions: 500, queries: 1100, transactionMs: 1500 })]]);
  const [row] = records(showTable("STATS", factsOf(states, { before })));
  expect(row).toMatchObject({
    database: "shop",
    total_xact_count: "600",
    total_query_count: "1200",
    total_received: "10000",
    total_xact_time: "1800000",
    total_wait_time: "80000",
    avg_xact_count: "10",
    avg_query_count: "10",
    avg_recv: "1000",
    avg_xact_time: "3000",
    avg_wait_time: "8000",
  });
});

test("a worker that was replaced makes averages smaller, never negative", () => {
  const before = new Map([["shop", traffic({ queries: 1000, queryMs: 1000 })]]);
  const states = [workerOf(0, { traffic: [["shop", traffic({ queries: 10, queryMs: 5 })]] })];
  const [row] = records(showTable("STATS_AVERAGES", factsOf(states, { before })));
  expect(row).toMatchObject({ query_count: "0", query_time: "0" });
});

test("POOLS has a row for each user of each database", () => {
  const states = [
    workerOf(0, { pools: [POOL, { ...POOL, clientsActive: 0 }] }),
    workerOf(1, { pools: [POOL] }),
  ];
  expect(records(showTable("POOLS", factsOf(states)))).toEqual([
    {
      database: "shop",
      user: "ann",
      cl_active: "6",
      cl_waiting: "3",
      cl_active_cancel_req: "0",
      cl_waiting_cancel_req: "0",
      sv_active: "6",
      sv_active_cancel: "0",
      sv_being_canceled: "0",
      sv_idle: "3",
      sv_used: "0",
      sv_tested: "0",
      sv_login: "3",
      maxwait: "1",
      maxwait_us: "250500",
      pool_mode: "transaction",
      load_balance_hosts: null,
    },
  ]);
});

test("DATABASES says where they are, and which are paused", () => {
  const facts = factsOf([workerOf(0, { pools: [POOL] })], { paused: { all: false, databases: ["other"] } });
  const rows = records(showTable("DATABASES", facts));
  expect(rows).toMatchObject([
    { name: "other", paused: "1", current_connections: "0" },
    { name: "shop", host: "10.0.0.5", port: "5432", pool_size: "7", paused: "0", current_connections: "4" },
  ]);
  const away = factsOf(facts.states, { primary: undefined, paused: { all: true, databases: [] } });
  expect(records(showTable("DATABASES", away))).toMatchObject([{ name: "shop", host: null, paused: "1" }]);
  expect(showTable("STATE", away).rows[1]).toEqual(["paused", "yes"]);
});

test("LISTS, USERS and CONFIG", () => {
  const facts = factsOf([workerOf(0, { pools: [POOL], clientsInLogin: 2 })]);
  const lists = Object.fromEntries(showTable("LISTS", facts).rows) as Record<string, string>;
  expect(lists).toMatchObject({
    databases: "1",
    users: "3",
    pools: "1",
    used_clients: "4",
    login_clients: "2",
  });
  expect(showTable("USERS", facts).rows.map(([name]) => name)).toEqual(["ann", "bob", "root"]);
  const config = new Map(showTable("CONFIG", facts).rows.map(([key, value]) => [key, value]));
  expect([
    config.get("default_pool_size"),
    config.get("query_wait_timeout"),
    config.get("max_client_conn"),
  ]).toEqual(["7", "120", "100"]);
});

test("columns are PgBouncer 1.24's, in its order", () => {
  const socket =
    "type user database replication state addr port local_addr local_port connect_time request_time wait wait_us close_needed ptr link remote_pid tls application_name prepared_statements id";
  const counted =
    "server_assignment_count xact_count query_count bytes_received bytes_sent xact_time query_time wait_time";
  const stats =
    "server_assignment_count xact_count query_count received sent xact_time query_time wait_time client_parse_count server_parse_count bind_count";
  const columnsOf = (what: Parameters<typeof showTable>[0]): string =>
    showTable(what, factsOf([])).columns.join(" ");
  expect({
    clients: columnsOf("CLIENTS"),
    servers: columnsOf("SERVERS"),
    databases: columnsOf("DATABASES"),
    users: columnsOf("USERS"),
    stats: columnsOf("STATS"),
    totals: columnsOf("STATS_TOTALS"),
    averages: columnsOf("STATS_AVERAGES"),
    lists: showTable("LISTS", factsOf([]))
      .rows.map(([name]) => name)
      .join(" "),
  }).toEqual({
    clients: socket,
    servers: socket,
    databases:
      "name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused disabled",
    users:
      "name pool_size reserve_pool_size pool_mode max_user_connections current_connections max_user_client_connections current_client_connections",
    stats: `database ${stats.replace(/\w+/g, "total_$&")} ${stats.replace("received", "recv").replace(/\w+/g, "avg_$&")}`,
    totals: `database ${counted} client_parse_count server_parse_count bind_count`,
    averages: `database ${counted} avg_client_parse_count avg_server_parse_count avg_bind_count`,
    lists:
      "databases users peers pools peer_pools free_clients used_clients login_clients free_servers used_servers dns_names dns_zones dns_queries dns_pending",
  });
});

test("USERS and DATABASES have what is there behind what there may be", () => {
  const pool = { ...POOL_DEFAULTS, userMax: 9, userClientsMax: 50, databaseMax: 8, databaseClientsMax: 40 };
  const facts = factsOf([workerOf(0, { pools: [POOL] }), workerOf(1, { pools: [POOL] })], { pool });
  expect(records(showTable("USERS", facts))[0]).toMatchObject({
    name: "ann",
    max_user_connections: "9",
    current_connections: "8",
    max_user_client_connections: "50",
    current_client_connections: "8",
  });
  expect(records(showTable("DATABASES", facts))[0]).toMatchObject({
    server_lifetime: "3600",
    max_connections: "8",
    current_connections: "8",
    max_client_connections: "40",
    current_client_connections: "8",
  });
});
