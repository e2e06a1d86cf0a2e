/** SHOW CLIENTS and SHOW SERVERS: one connection a row. */
import type { ConsoleFacts, Table } from "./facts.ts";

const COLUMNS = [
  "type",
  "user",
  "database",
  "replication",
  "state",
  "addr",
  "port",
  "local_addr",
  "local_port",
  "connect_time",
  "request_time",
  "wait",
  "wait_us",
  "close_needed",
  "ptr",
  "link",
  "remote_pid",
  "tls",
  "application_name",
  "prepared_statements",
  "id",
];

/** The replication protocol is not for the router. */
const REPLICATION = "none";

/** Ports of clients and what TLS they agreed on are not known to the router: null. */
export function clientsTable({ states, listen }: ConsoleFacts): Table {
  const rows = states
    .flatMap(({ admins, clients }) => [...clients, ...admins])
    .map((client) => [
      "C",
      client.user,
      client.database,
      REPLICATION,
      client.state,
      client.address,
      null,
      listen.host,
      String(listen.port),
      time(client.connectedMs),
      time(client.requestMs),
      String(Math.floor(client.waitMs / 1000)),
      String(Math.round((client.waitMs % 1000) * 1000)),
      "0",
      clientPointer(client.id),
      client.link ?? "",
      "0",
      null,
      client.applicationName,
      String(client.prepared),
      String(client.id >>> 0),
    ]);
  return { columns: COLUMNS, rows };
}

/** The router's own end of these connections is not known to it: null. */
export function serversTable({ states }: ConsoleFacts): Table {
  const rows = states
    .flatMap(({ servers }) => servers)
    .map((server) => [
      "S",
      server.user,
      server.database,
      REPLICATION,
      server.state,
      server.address,
      String(server.port),
      null,
      null,
      time(server.connectedMs),
      time(server.requestMs),
      "0",
      "0",
      server.isOutdated ? "1" : "0",
      server.id,
      server.link === undefined ? "" : clientPointer(server.link),
      String(server.processId),
      null,
      server.applicationName,
      String(server.prepared),
      String(server.number >>> 0),
    ]);
  return { columns: COLUMNS, rows };
}

/** As PgBouncer shows an object's address. */
function clientPointer(id: number): string {
  return `0x${(id >>> 0).toString(16)}`;
}

/** "2026-11-27 02:28:30 UTC". */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
