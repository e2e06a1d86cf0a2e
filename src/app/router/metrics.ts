/** A router's metrics, in Prometheus' text format: the sums of what its workers report. */
import {
  histogramSamples,
  type MetricFamily,
  type MetricSample,
  type MetricType,
  renderMetrics,
} from "../../base/index.ts";
import { DURATION_LIMITS_MS, type DurationCounts } from "../../database/index.ts";
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
  [
    "loginsDelayed",
    "client_logins_delayed_total",
    "counter",
    "Of those, the ones whose answer had to wait for their address's turn",
  ],
  [
    "loginsRefused",
    "client_logins_refused_total",
    "counter",
    "Log-ins refused unseen, for too many failed ones of their address wait",
  ],
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
  ["held", "held_total", "counter", "Clients that waited because there was no confirmed primary"],
  ["holdsExpired", "holds_expired_total", "counter", "Clients that waited for one as long as they may"],
  ["resent", "resent_total", "counter", "Batches that were sent once more, their server was lost"],
  [
    "outcomesCommitted",
    "outcomes_committed_total",
    "counter",
    "Writes of a lost server that the next primary had",
  ],
  ["outcomesLost", "outcomes_lost_total", "counter", "Writes of a lost server that were not committed"],
  ["outcomesUnknown", "outcomes_unknown_total", "counter", "Writes of which clients were told 08007"],
  [
    "transactionsLost",
    "transactions_lost_total",
    "counter",
    "Open transactions that ended with their server",
  ],
  ["receivedBytes", "received_bytes_total", "counter", "Bytes of clients"],
];

type Word = readonly [of: "reads" | "refusals" | "pins", label: string, name: string, help: string];

/** One row for each of what is counted by words. */
const WORDS: readonly Word[] = [
  [
    "reads",
    "reason",
    "reads_total",
    "Batches of statements by the reason for which they went to a replica or to the primary",
  ],
  ["refusals", "sqlstate", "refusals_total", "Errors that clients got from the router itself"],
  ["pins", "reason", "pinned_total", "Clients that keep their server connection, by what their session has"],
];

type Times = readonly [of: "waitTimes" | "queryTimes", name: string, help: string];

const TIMES: readonly Times[] = [
  ["waitTimes", "client_wait_seconds", "Waits of clients for a server connection"],
  ["queryTimes", "query_seconds", "From the first message of a query to the end of its answer"],
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
    ...WORDS.map(([of, label, name, help]) => ({
      name: `tenfold_router_${name}`,
      help,
      type: "counter" as const,
      samples: samplesOf(reports, of, label),
    })),
    ...TIMES.map(([of, name, help]) => ({
      name: `tenfold_router_${name}`,
      help,
      type: "histogram" as const,
      samples: histogramOf(reports.map((report) => report[of])),
    })),
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

function histogramOf(times: readonly DurationCounts[]): MetricSample[] {
  let count = 0;
  const buckets = DURATION_LIMITS_MS.map((ms, at) => {
    count += times.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0);
    return { le: ms / 1000, count };
  });
  const longer = times.reduce((sum, { counts }) => sum + (counts[DURATION_LIMITS_MS.length] ?? 0), 0);
  const sumMs = times.reduce((sum, each) => sum + each.sumMs, 0);
  return histogramSamples({}, buckets, sumMs / 1000, count + longer);
}

function samplesOf(reports: readonly WorkerReport[], of: Word[0], label: string): MetricSample[] {
  const sums = new Map<string, number>();
  for (const report of reports)
    for (const [word, count] of report[of]) sums.set(word, (sums.get(word) ?? 0) + count);
  return [...sums].map(([word, value]) => ({ labels: { [label]: word }, value }));
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
