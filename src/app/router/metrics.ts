/** A router's metrics, in Prometheus' text format: the sums of what its workers report. */
import { type MetricFamily, type MetricSample, type MetricType, renderMetrics } from "../../base/index.ts";
import type { Counters, PoolStatus } from "../../database/io/index.ts";
import type { WorkerReport } from "./messages.ts";

type Row = readonly [counter: keyof Counters, name: string, type: MetricType, help: string];

/** One row for each of a worker's numbers. */
const ROWS: readonly Row[] = [
  ["clients", "clients", "gauge", "Clients that are connected"],
  ["waitingClients", "clients_waiting", "gauge", "Clients that wait for a server connection"],
  ["servers", "servers", "gauge", "Server connections, those that are being opened included"],
  ["clientsAccepted", "clients_accepted_total", "counter", "Connections of clients"],
  ["clientsRefused", "clients_refused_total", "counter", "Connections of clients beyond the bound"],
  ["loginsFailed", "client_logins_failed_total", "counter", "Wrong passwords, and names that do not exist"],
  ["handshakesFailed", "client_handshakes_failed_total", "counter", "TLS handshakes of clients that failed"],
  ["serversOpened", "servers_opened_total", "counter", "Server connections that were opened"],
  [
    "serverLoginsFailed",
    "server_logins_failed_total",
    "counter",
    "Server connections that could not be opened",
  ],
  ["serversLost", "servers_lost_total", "counter", "Server connections that the server closed"],
  ["queries", "queries_total", "counter", "Answers that ended with ReadyForQuery"],
  ["attachments", "attachments_total", "counter", "Times that a client got a server connection"],
  ["waits", "waits_total", "counter", "Times that a client had to wait for one"],
  ["queueTimeouts", "queue_timeouts_total", "counter", "Clients that waited as long as they may"],
  ["pins", "pins_total", "counter", "Clients that keep their server connection for what their session has"],
  [
    "settingsReplayed",
    "settings_replayed_total",
    "counter",
    "Times that a session's settings were made again",
  ],
  [
    "statementsPrepared",
    "statements_prepared_total",
    "counter",
    "Statements prepared on a server connection",
  ],
  ["statementsReused", "statements_reused_total", "counter", "Parse messages answered without the server"],
  ["cancels", "cancels_total", "counter", "Cancel requests that found their query"],
  ["receivedBytes", "received_bytes_total", "counter", "Bytes of clients"],
];

/** Metrics of all workers together. `workers` is how many there should be. */
export function routerMetrics(reports: readonly WorkerReport[], workers: number): string {
  const gauge = (name: string, help: string, samples: readonly MetricSample[]): MetricFamily => ({
    name: `tenfold_router_${name}`,
    help,
    type: "gauge",
    samples,
  });
  const one = (value: number): MetricSample[] => [{ labels: {}, value }];
  const pools = sumOfPools(reports.flatMap((report) => report.pools));
  const perPool = (value: (pool: PoolStatus) => number): MetricSample[] =>
    pools.map((pool) => ({ labels: { database: pool.database, user: pool.user }, value: value(pool) }));
  return renderMetrics([
    gauge("workers", "Worker processes", one(workers)),
    gauge("workers_reporting", "Worker processes that are in these sums", one(reports.length)),
    ...ROWS.map(([counter, name, type, help]) => ({
      name: `tenfold_router_${name}`,
      help,
      type,
      samples: one(reports.reduce((sum, report) => sum + report.counters[counter], 0)),
    })),
    {
      name: "tenfold_router_reads_total",
      help: "Batches of statements by the reason for which they went to a replica or to the primary",
      type: "counter",
      samples: readSamples(reports),
    },
    gauge(
      "pool_servers",
      "Server connections of a pool",
      perPool((pool) => pool.servers),
    ),
    gauge(
      "pool_servers_free",
      "Server connections of a pool that nobody uses",
      perPool((pool) => pool.freeServers),
    ),
    gauge(
      "pool_clients_waiting",
      "Clients that wait at a pool",
      perPool((pool) => pool.waitingClients),
    ),
  ]);
}

function readSamples(reports: readonly WorkerReport[]): MetricSample[] {
  const sums = new Map<string, number>();
  for (const { reads } of reports)
    for (const [reason, count] of reads) sums.set(reason, (sums.get(reason) ?? 0) + count);
  return [...sums].map(([reason, value]) => ({ labels: { reason }, value }));
}

function sumOfPools(pools: readonly PoolStatus[]): readonly PoolStatus[] {
  const sums = new Map<string, PoolStatus>();
  for (const pool of pools) {
    const key = `${pool.database}\0${pool.user}`;
    const sum = sums.get(key);
    sums.set(key, {
      ...pool,
      servers: pool.servers + (sum?.servers ?? 0),
      freeServers: pool.freeServers + (sum?.freeServers ?? 0),
      waitingClients: pool.waitingClients + (sum?.waitingClients ?? 0),
    });
  }
  return [...sums.values()];
}
