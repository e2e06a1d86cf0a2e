/**
 * Isolation, from lists that are only appended to: a read shows which appends came before it and in which order, so the
 * dependencies between transactions can be told, and a cycle among them is an anomaly.
 *
 * Source: Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (VLDB 2020); the names
 * are those of Adya, "Weak Consistency" (1999).
 */
import { type EdgeKind, type Edges, findCycle } from "./cycles.ts";
import type { Anomaly, HistoryEntry } from "./history.ts";

/** Finds duplicates, incompatible orders, lost writes, G0, G1a, G1b, G1c, G-single, G2-item. O(operations * list length). */
export function checkListAppend(history: readonly HistoryEntry[]): Anomaly[] {
  const writers = writersOf(history);
  const orders = ordersOf(history);
  return [
    ...orders.problems,
    ...readsOf(history).flatMap((read) => checkRead(history, writers, read)),
    ...lostWrites(history, orders.longest),
    ...checkCycles(edgesOf(history, writers, orders.longest), history),
  ];
}

/** "key/value" -> number of the transaction that appended it. */
type Writers = ReadonlyMap<string, number>;

interface ListRead {
  readonly transaction: number;
  readonly key: string;
  readonly values: readonly number[];
  readonly invokedMs: number;
}

function writersOf(history: readonly HistoryEntry[]): Writers {
  return new Map(
    history.flatMap(({ operations }, transaction) =>
      operations.flatMap((operation) =>
        operation.kind === "append" ? [[`${operation.key}/${operation.value}`, transaction] as const] : [],
      ),
    ),
  );
}

function readsOf(history: readonly HistoryEntry[]): ListRead[] {
  return history.flatMap(({ kind, operations, invokedMs }, transaction) =>
    kind === "ok"
      ? operations.flatMap((operation) =>
          operation.kind === "read" ? [{ transaction, invokedMs, ...operation }] : [],
        )
      : [],
  );
}

/** The order of appends to each key: its longest read. All others must begin it. */
function ordersOf(history: readonly HistoryEntry[]): {
  readonly longest: ReadonlyMap<string, ListRead>;
  readonly problems: Anomaly[];
} {
  const longest = new Map<string, ListRead>();
  const reads = readsOf(history);
  for (const read of reads)
    if (read.values.length > (longest.get(read.key)?.values.length ?? -1)) longest.set(read.key, read);
  const problems = reads.flatMap(({ key, values }) => {
    const order = longest.get(key)?.values ?? [];
    if (values.every((value, index) => order[index] === value)) return [];
    return [{ anomaly: "incompatible-order", detail: `${key}: [${values.join()}] and [${order.join()}]` }];
  });
  for (const [key, { values }] of longest)
    if (new Set(values).size < values.length)
      problems.push({ anomaly: "duplicate", detail: `${key}: [${values.join()}]` });
  return { longest, problems };
}

/** G1a: reads what was never committed. G1b: reads what was not the last of its transaction. */
function checkRead(history: readonly HistoryEntry[], writers: Writers, read: ListRead): Anomaly[] {
  const { key, values, transaction } = read;
  const found: Anomaly[] = [];
  for (const value of values) {
    const writer = writers.get(`${key}/${value}`);
    if (writer === undefined)
      found.push({ anomaly: "unwritten", detail: `${key}: ${value} was never appended` });
    else if (history[writer]?.kind === "failed")
      found.push({ anomaly: "G1a", detail: `${key}: ${value} was read, its transaction failed` });
  }
  const last = values.at(-1);
  const writer = last === undefined ? undefined : writers.get(`${key}/${last}`);
  if (writer === undefined || writer === transaction) return found;
  const appended = (history[writer]?.operations ?? []).filter(
    (operation) => operation.kind === "append" && operation.key === key,
  );
  const final = appended.at(-1);
  if (final?.kind === "append" && final.value !== last)
    found.push({
      anomaly: "G1b",
      detail: `${key}: ${last} was read without ${final.value} of its transaction`,
    });
  return found;
}

/** Acknowledged, and not in the longest list though that was read later. */
function lostWrites(history: readonly HistoryEntry[], longest: ReadonlyMap<string, ListRead>): Anomaly[] {
  const present = new Map([...longest].map(([key, { values }]) => [key, new Set(values)] as const));
  return history.flatMap(({ kind, operations, completedMs }) =>
    operations.flatMap((operation) => {
      if (operation.kind !== "append" || kind !== "ok") return [];
      const { key, value } = operation;
      const read = longest.get(key);
      const isLost =
        read !== undefined && read.invokedMs > completedMs && present.get(key)?.has(value) !== true;
      return isLost ? [{ anomaly: "lost-write", detail: `${key}: ${value}` }] : [];
    }),
  );
}

function edgesOf(
  history: readonly HistoryEntry[],
  writers: Writers,
  longest: ReadonlyMap<string, ListRead>,
): Edges {
  const edges = { ww: new Map(), wr: new Map(), rw: new Map() } satisfies Record<
    EdgeKind,
    Map<number, Set<number>>
  >;
  const add = (kind: EdgeKind, from: number | undefined, to: number | undefined): void => {
    if (from === undefined || to === undefined || from === to) return;
    const of: Map<number, Set<number>> = edges[kind];
    const targets = of.get(from) ?? new Set<number>();
    of.set(from, targets.add(to));
  };
  const writerOf = (key: string, value: number | undefined): number | undefined =>
    value === undefined ? undefined : writers.get(`${key}/${value}`);
  for (const [key, { values }] of longest)
    for (const [index, value] of values.entries())
      add("ww", writerOf(key, values[index - 1]), writerOf(key, value));
  for (const { key, values, transaction } of readsOf(history)) {
    add("wr", writerOf(key, values.at(-1)), transaction);
    add("rw", transaction, writerOf(key, longest.get(key)?.values[values.length]));
  }
  return edges;
}

/** Which cycles are which anomaly: along which edges, and by which kind it is closed. The first that is found tells most. */
const CYCLES: readonly (readonly [name: string, kinds: readonly EdgeKind[], last: EdgeKind])[] = [
  ["G0", ["ww"], "ww"],
  ["G1c", ["ww", "wr"], "wr"],
  ["G-single", ["ww", "wr"], "rw"],
  ["G2-item", ["ww", "wr", "rw"], "rw"],
];

function checkCycles(edges: Edges, history: readonly HistoryEntry[]): Anomaly[] {
  for (const [anomaly, kinds, last] of CYCLES) {
    const cycle = findCycle(edges, kinds, last);
    if (cycle !== undefined)
      return [
        { anomaly, detail: cycle.map((index) => JSON.stringify(history[index]?.operations)).join(" -> ") },
      ];
  }
  return [];
}
