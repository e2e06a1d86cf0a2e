/** Whether a big table should be cut into partitions, how, and when it should be left alone. */
import type { ColumnFacts, TableFacts } from "./catalog.ts";

/** What statements do to a table, by their trees. */
export interface TableUse {
  /** Calls that find rows by the column. */
  readonly callsByColumn: ReadonlyMap<string, number>;
  /** Calls that delete rows by a range of the column: retention. */
  readonly rangeDeletes: ReadonlyMap<string, number>;
  /** Calls of all statements on the table. */
  readonly calls: number;
}

/** What to do with a table. */
export interface PartitionAdvice {
  readonly table: TableFacts;
  /** "leave": as it is. */
  readonly method: "range" | "hash" | "leave";
  readonly column?: string;
  readonly reasons: readonly string[];
}

const GIB = 1024 ** 3;

/** Smaller tables gain nothing: one B-tree of 10^9 rows is a level deeper than one of 10^7. */
export const BIG_BYTES: number = 10 * GIB;

/** Rows lie in the column's order, so that a range of it is few blocks, and so are partitions. */
const CORRELATION_MIN = 0.9;

/** Of the calls: above it, queries say which partition they mean. */
const PRUNED_SHARE_MIN = 0.5;

/** One file each, and not too many for the planner. */
const PART_BYTES = 2 * GIB;
const PARTS_MAX = 64;

const TIME = /^(date|timestamp)/;

/** Advice on one table; undefined for those below `bigBytes` and those that are partitions. */
export function partitionAdvice(
  table: TableFacts,
  use: TableUse,
  bigBytes: number = BIG_BYTES,
): PartitionAdvice | undefined {
  if (table.kind !== "r" || table.isPartition || table.totalBytes < bigBytes) return undefined;
  return byRange(table, use) ?? byHash(table, use) ?? leave(table, use);
}

function byRange(table: TableFacts, use: TableUse): PartitionAdvice | undefined {
  const times = table.columns.filter(({ type }) => TIME.test(type));
  const best = times.toSorted((a, b) => scoreOf(b, use) - scoreOf(a, use))[0];
  if (best === undefined) return undefined;
  const deletes = use.rangeDeletes.get(best.name) ?? 0;
  const asked = shareOf(use, best.name);
  const isOrdered = Math.abs(best.correlation) >= CORRELATION_MIN;
  if (!isOrdered && deletes === 0) return undefined;
  if (deletes === 0 && asked < PRUNED_SHARE_MIN) return undefined;
  const reasons = [
    ...(isOrdered
      ? [`rows lie in the order of ${best.name} (correlation ${best.correlation.toFixed(2)})`]
      : []),
    ...(deletes > 0
      ? [`old rows are deleted by ${best.name}: dropping a partition leaves nothing to vacuum`]
      : []),
    ...(asked >= PRUNED_SHARE_MIN
      ? [`${percent(asked)} of calls name ${best.name}: they read one partition`]
      : []),
    ...(asked < PRUNED_SHARE_MIN
      ? [`but ${percent(1 - asked)} of calls do not name ${best.name}: those look into every partition`]
      : []),
    ...(best.notNull ? [] : [`${best.name} may be NULL: make it NOT NULL first`]),
  ];
  return { table, method: "range", column: best.name, reasons };
}

function scoreOf(column: ColumnFacts, use: TableUse): number {
  return (
    Math.abs(column.correlation) + (use.rangeDeletes.has(column.name) ? 2 : 0) + shareOf(use, column.name)
  );
}

function byHash(table: TableFacts, use: TableUse): PartitionAdvice | undefined {
  const [column, calls] = [...use.callsByColumn].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  if (column === undefined || calls === undefined || use.calls === 0) return undefined;
  const share = calls / use.calls;
  if (share < PRUNED_SHARE_MIN) return undefined;
  const parts = partsOf(table.totalBytes);
  const reasons = [
    `${percent(share)} of calls name ${column}: they read one partition`,
    `${parts} partitions are vacuumed and indexed side by side, ${Math.ceil(table.totalBytes / parts / 1024 ** 2)} MiB each`,
    "no time column would serve ranges: old rows cannot be dropped by partition",
  ];
  return { table, method: "hash", column, reasons };
}

/** A power of two, so that parts can be halved later. */
function partsOf(bytes: number): number {
  return Math.min(PARTS_MAX, 2 ** Math.max(1, Math.ceil(Math.log2(bytes / PART_BYTES))));
}

function leave(table: TableFacts, use: TableUse): PartitionAdvice {
  const why =
    use.calls === 0
      ? "no statement on it is known: nothing says by which column"
      : "no column is named by half of its calls: most would look into every partition";
  return { table, method: "leave", reasons: [why, "an index keeps single rows as fast at any size"] };
}

function shareOf({ callsByColumn, calls }: TableUse, column: string): number {
  return calls === 0 ? 0 : (callsByColumn.get(column) ?? 0) / calls;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
