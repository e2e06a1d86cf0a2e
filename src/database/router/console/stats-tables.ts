/** SHOW STATS and its kin: traffic by database, names and units as PgBouncer has them (microseconds, bytes). */
import type { ConsoleFacts, Table } from "./facts.ts";
import { addTraffic, DatabaseTraffic, type Traffic, trafficSince } from "./traffic.ts";

const NOTHING: Traffic = new DatabaseTraffic();

/** One line of each table, in its order: names in STATS and in TOTALS, and what is counted. */
interface Column {
  /** Behind `total_` and `avg_`. */
  readonly total: string;
  readonly average: string;
  /** In STATS_TOTALS… */
  readonly bare: string;
  /** …and in STATS_AVERAGES. */
  readonly mean: string;
  /** In TOTALS. */
  readonly sum: string;
  readonly value: (traffic: Traffic) => number;
  /** What an average is taken over: each second, or each of these. */
  readonly each?: (traffic: Traffic) => number;
}

const US_PER_MS = 1000;

const column = (name: string, value: Column["value"], each?: Column["each"]): Column => ({
  total: name,
  average: name,
  bare: name,
  mean: name,
  sum: name,
  value,
  ...(each === undefined ? {} : { each }),
});

const prepared = (name: string, value: Column["value"]): Column => ({
  ...column(name, value),
  mean: `avg_${name}`,
  sum: `ps_${name}`,
});

const COLUMNS: readonly Column[] = [
  column("server_assignment_count", (of) => of.assignments),
  column("xact_count", (of) => of.transactions),
  column("query_count", (of) => of.queries),
  {
    total: "received",
    average: "recv",
    bare: "bytes_received",
    mean: "bytes_received",
    sum: "client_bytes",
    value: (of) => of.receivedBytes,
  },
  {
    total: "sent",
    average: "sent",
    bare: "bytes_sent",
    mean: "bytes_sent",
    sum: "server_bytes",
    value: (of) => of.sentBytes,
  },
  column(
    "xact_time",
    (of) => of.transactionMs * US_PER_MS,
    (of) => of.transactions,
  ),
  column(
    "query_time",
    (of) => of.queryMs * US_PER_MS,
    (of) => of.queries,
  ),
  column("wait_time", (of) => of.waitMs * US_PER_MS),
  prepared("client_parse_count", (of) => of.clientParses),
  prepared("server_parse_count", (of) => of.serverParses),
  prepared("bind_count", (of) => of.binds),
];

/** Totals and averages by database. */
export function statsTable(facts: ConsoleFacts): Table {
  const columns = [
    "database",
    ...COLUMNS.map(({ total }) => `total_${total}`),
    ...COLUMNS.map(({ average }) => `avg_${average}`),
  ];
  return byDatabase(facts, columns, (now, before) => [...totals(now), ...averages(facts, now, before)]);
}

/** Totals by database. */
export function statsTotalsTable(facts: ConsoleFacts): Table {
  return byDatabase(facts, ["database", ...COLUMNS.map(({ bare }) => bare)], totals);
}

/** Averages by database: counts, bytes and waits each second, times each transaction or query. */
export function statsAveragesTable(facts: ConsoleFacts): Table {
  return byDatabase(facts, ["database", ...COLUMNS.map(({ mean }) => mean)], (now, before) =>
    averages(facts, now, before),
  );
}

/** Sums over all databases, one a row. */
export function totalsTable(facts: ConsoleFacts): Table {
  const now = [...trafficNow(facts).values()].reduce(addTraffic, NOTHING);
  const before = [...facts.before.values()].reduce(addTraffic, NOTHING);
  const names = [...COLUMNS.map(({ sum }) => `total_${sum}`), ...COLUMNS.map(({ sum }) => `avg_${sum}`)];
  const values = [...totals(now), ...averages(facts, now, before)];
  return { columns: ["name", "value"], rows: names.map((name, at) => [name, values[at] ?? null]) };
}

/** Traffic of all workers by database. */
export function trafficNow({ states }: Pick<ConsoleFacts, "states">): Map<string, Traffic> {
  const sums = new Map<string, Traffic>();
  for (const { traffic } of states)
    for (const [database, of] of traffic) sums.set(database, addTraffic(sums.get(database) ?? NOTHING, of));
  return sums;
}

function byDatabase(
  facts: ConsoleFacts,
  columns: readonly string[],
  cells: (now: Traffic, before: Traffic) => readonly string[],
): Table {
  const names = [...trafficNow(facts)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    columns,
    rows: names.map(([database, now]) => [database, ...cells(now, facts.before.get(database) ?? NOTHING)]),
  };
}

function totals(now: Traffic): string[] {
  return COLUMNS.map(({ value }) => whole(value(now)));
}

function averages({ beforeMs }: ConsoleFacts, now: Traffic, before: Traffic): string[] {
  const recent = trafficSince(now, before);
  const seconds = beforeMs / 1000;
  return COLUMNS.map(({ value, each }) => {
    const by = each?.(recent) ?? seconds;
    return whole(by > 0 ? value(recent) / by : 0);
  });
}

function whole(value: number): string {
  return String(Math.round(value));
}
