/**
 * The scoreboard as Prometheus metrics. Counters are those of all workers together and survive a worker's death.
 */
import {
  countUpTo,
  HISTOGRAM_SIZE,
  histogramSamples,
  type MetricFamily,
  type MetricSample,
  merge,
} from "../base/index.ts";
import type { Snapshot, TargetGroup } from "../config/index.ts";
import { REASONS } from "./errors.ts";
import {
  GROUP_COUNTER,
  HEALTH,
  NO_GROUP,
  type Scoreboard,
  TARGET_COUNTER,
  WORKER_COUNTER,
} from "./scoreboard.ts";

/** Upper bounds in seconds: from a cached answer to the longest default timeout. */
const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Label of what no group served. */
const NO_GROUP_NAME = "(none)";

/** A group as the metrics name it. */
interface Row {
  readonly name: string;
  readonly row: number;
}

/** All families, in the order of the page. `snapshot` names the rows; without one only the workers are told. */
export function gatewayMetrics(board: Scoreboard, snapshot: Snapshot | undefined): MetricFamily[] {
  const groups = snapshot?.targetGroups ?? [];
  const rows: Row[] = [
    ...groups.map(({ name, slot }) => ({ name, row: slot })),
    { name: NO_GROUP_NAME, row: NO_GROUP },
  ];
  return [
    ...requestFamilies(board, rows),
    ...targetFamilies(board, groups),
    ...workerFamilies(board, snapshot),
  ];
}

function requestFamilies(board: Scoreboard, rows: readonly Row[]): MetricFamily[] {
  const perGroup = (of: number): MetricSample[] =>
    rows.map(({ name, row }) => ({ labels: { group: name }, value: board.groupCounter(row, of) }));
  return [
    counter(
      "tenfold_requests_total",
      "Requests finished, by target group.",
      perGroup(GROUP_COUNTER.requests),
    ),
    counter(
      "tenfold_responses_total",
      "Responses, by status class.",
      rows.flatMap((row) => classes(board, row)),
    ),
    counter(
      "tenfold_errors_total",
      "Errors made by the gateway, by reason.",
      rows.flatMap((row) => reasons(board, row)),
    ),
    counter("tenfold_retries_total", "Requests sent again.", perGroup(GROUP_COUNTER.retries)),
    counter(
      "tenfold_retries_refused_total",
      "Requests not sent again because the retry budget was spent.",
      perGroup(GROUP_COUNTER.retriesRefused),
    ),
    counter(
      "tenfold_fallback_requests_total",
      "Requests that went to the fallback of their group.",
      perGroup(GROUP_COUNTER.fallbacks),
    ),
    counter(
      "tenfold_fallback_refused_total",
      "Requests refused because the fallback had as many as it may.",
      perGroup(GROUP_COUNTER.fallbacksRefused),
    ),
    gauge(
      "tenfold_fallback_in_flight",
      "Requests of a group that its fallback has in flight.",
      rows.map(({ name, row }) => ({ labels: { group: name }, value: board.groupFallbacks(row) })),
    ),
    counter(
      "tenfold_received_bytes_total",
      "Bytes of requests from clients.",
      perGroup(GROUP_COUNTER.bytesIn),
    ),
    counter("tenfold_sent_bytes_total", "Bytes of responses to clients.", perGroup(GROUP_COUNTER.bytesOut)),
    counter(
      "tenfold_panic_picks_total",
      "Picks made while health was ignored.",
      perGroup(GROUP_COUNTER.panicPicks),
    ),
    gauge(
      "tenfold_in_flight",
      "Requests in flight, by target group.",
      rows.map(({ name, row }) => ({ labels: { group: name }, value: board.groupInFlight(row) })),
    ),
    {
      name: "tenfold_request_duration_seconds",
      help: "From the first byte of a request to the last of its response.",
      type: "histogram",
      samples: rows.flatMap((row) => latencies(board, row)),
    },
  ];
}

function classes(board: Scoreboard, { name, row }: Row): MetricSample[] {
  return [1, 2, 3, 4, 5].map((digit) => ({
    labels: { group: name, class: `${digit}xx` },
    value: board.groupCounter(row, GROUP_COUNTER.requests + digit),
  }));
}

/** Only reasons that occurred: there are many, and most never do. */
function reasons(board: Scoreboard, { name, row }: Row): MetricSample[] {
  const counted = REASONS.map((reason, number) => ({
    labels: { group: name, reason },
    value: board.groupReason(row, number),
  }));
  return counted.filter(({ value }) => value > 0);
}

function latencies(board: Scoreboard, { name, row }: Row): MetricSample[] {
  const cells = new Float64Array(HISTOGRAM_SIZE);
  for (const each of board.groupLatency(row)) merge(cells, 0, each, 0);
  const buckets = LATENCY_BUCKETS_S.map((le) => ({ le, count: countUpTo(cells, 0, le * 1e6) }));
  const total = countUpTo(cells, 0, Number.POSITIVE_INFINITY);
  return histogramSamples(
    { group: name },
    buckets,
    board.groupCounter(row, GROUP_COUNTER.latencySumUs) / 1e6,
    total,
  );
}

function targetFamilies(board: Scoreboard, groups: readonly TargetGroup[]): MetricFamily[] {
  const perTarget = (read: (slot: number) => number): MetricSample[] =>
    groups.flatMap(({ name, targets }) =>
      targets.map(({ id, slot }) => ({ labels: { group: name, target: id }, value: read(slot) })),
    );
  const counted = (of: number): MetricSample[] => perTarget((slot) => board.targetCounter(slot, of));
  return [
    gauge(
      "tenfold_target_in_flight",
      "Requests in flight, by target.",
      perTarget((slot) => board.inFlight(slot)),
    ),
    gauge(
      "tenfold_target_healthy",
      "1 unless active checks found the target unhealthy.",
      perTarget((slot) => (board.health(slot) === HEALTH.unhealthy ? 0 : 1)),
    ),
    gauge(
      "tenfold_target_ejected",
      "Workers that keep the target out because of its responses.",
      perTarget((slot) => board.ejectedBy(slot)),
    ),
    counter(
      "tenfold_target_requests_total",
      "Requests answered by the target.",
      counted(TARGET_COUNTER.requests),
    ),
    counter("tenfold_target_5xx_total", "Answers of 500 and above.", counted(TARGET_COUNTER.status5xx)),
    counter(
      "tenfold_target_failures_total",
      "Requests the target never answered.",
      counted(TARGET_COUNTER.failures),
    ),
    counter(
      "tenfold_target_connects_total",
      "Connections opened to the target; beside its requests they tell how often one is used again.",
      counted(TARGET_COUNTER.connects),
    ),
    counter(
      "tenfold_target_ejections_total",
      "Times the target was ejected.",
      counted(TARGET_COUNTER.ejections),
    ),
  ];
}

function workerFamilies(board: Scoreboard, snapshot: Snapshot | undefined): MetricFamily[] {
  const workers = board.columns.flatMap((column, index) =>
    column.pid === 0 ? [] : [{ column, labels: { worker: String(index) } }],
  );
  return [
    gauge(
      "tenfold_connections",
      "Client connections open, by worker.",
      workers.map(({ column, labels }) => ({ labels, value: column.connections })),
    ),
    gauge(
      "tenfold_worker_revision",
      "Snapshot revision the worker serves by.",
      workers.map(({ column, labels }) => ({ labels, value: column.ackedRevision })),
    ),
    gauge("tenfold_revision", "Snapshot revision published last.", [
      { labels: {}, value: snapshot?.revision ?? 0 },
    ]),
    counter("tenfold_connections_accepted_total", "Client connections accepted.", [
      { labels: {}, value: board.workerCounter(WORKER_COUNTER.accepted) },
    ]),
    counter("tenfold_connections_shed_total", "Client connections turned away at the limit.", [
      { labels: {}, value: board.workerCounter(WORKER_COUNTER.shed) },
    ]),
  ];
}

/** A family that only grows. */
export function counter(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: "counter", samples: [...samples] };
}

/** A family that goes up and down. */
export function gauge(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: "gauge", samples: [...samples] };
}
