/** How statements use tables, and what stands out in tables themselves. */

import type { TableFacts } from "./catalog.ts";
import type { PartitionAdvice, TableUse } from "./partition-advice.ts";
import type { StatementNeeds } from "./statement-needs.ts";

/** One thing about a table that somebody should look at. */
export interface TableFinding {
  readonly table: string;
  readonly fault: "no-primary-key" | "dead-rows" | "sequential-scans";
  readonly reason: string;
}

/** Smaller tables are read whole as fast as by an index. */
const BIG_ROWS = 10_000;

/** Autovacuum begins at a fifth (autovacuum_vacuum_scale_factor): twice of it means that it does not keep up. */
const DEAD_SHARE = 0.4;

/** Rows read for nothing, a scan: the table is read nearly whole each time. */
const SCANS_MIN = 10;

/** What stands out, table by table. */
export function tableFindings(tables: readonly TableFacts[]): readonly TableFinding[] {
  return tables.flatMap((table): TableFinding[] => {
    const name = `${table.schema}.${table.name}`;
    const { rows, liveRows, deadRows, sequentialScans, sequentialRows } = table;
    const all = liveRows + deadRows;
    const perScan = sequentialRows / Math.max(1, sequentialScans);
    return [
      ...(table.hasPrimaryKey || table.isPartition
        ? []
        : [
            {
              table: name,
              fault: "no-primary-key" as const,
              reason: "logical replication cannot change its rows, and nothing keeps two from being the same",
            },
          ]),
      ...(all >= BIG_ROWS && deadRows / all >= DEAD_SHARE
        ? [
            {
              table: name,
              fault: "dead-rows" as const,
              reason: `${deadRows} of ${all} rows are dead: VACUUM it, and look for transactions that stay open`,
            },
          ]
        : []),
      ...(rows >= BIG_ROWS && sequentialScans >= SCANS_MIN && perScan >= BIG_ROWS
        ? [
            {
              table: name,
              fault: "sequential-scans" as const,
              reason: `${sequentialScans} scans of the whole table, ${Math.round(perScan)} rows each`,
            },
          ]
        : []),
    ];
  });
}

/** The use of one table by statements that were called so often. */
export function tableUse(
  { schema, name }: TableFacts,
  statements: readonly { readonly calls: number; readonly needs: StatementNeeds }[],
): TableUse {
  const callsByColumn = new Map<string, number>();
  const rangeDeletes = new Map<string, number>();
  let calls = 0;
  for (const statement of statements) {
    const mine = statement.needs.tables.filter(({ table }) => table.name === name && table.schema === schema);
    if (mine.length > 0) calls += statement.calls;
    const add = (to: Map<string, number>, columns: ReadonlySet<string>): void => {
      for (const column of columns) to.set(column, (to.get(column) ?? 0) + statement.calls);
    };
    const conditions = mine.flatMap((needs) =>
      needs.conditions.map((each) => ({ ...each, deletes: needs.deletes })),
    );
    const direct = conditions.filter(({ wrapped }) => wrapped === undefined);
    const ranges = direct.filter(({ comparison }) => comparison === "<" || comparison === ">");
    add(
      callsByColumn,
      new Set(direct.filter(({ comparison }) => comparison !== "join").map(({ column }) => column)),
    );
    add(rangeDeletes, new Set(ranges.filter(({ deletes }) => deletes).map(({ column }) => column)));
  }
  return { callsByColumn, rangeDeletes, calls };
}

/** What is said when no table is big enough. */
export function noPartitions(
  tables: readonly TableFacts[],
  advice: readonly PartitionAdvice[],
  bigBytes: number,
): string | undefined {
  if (advice.length > 0) return undefined;
  const [largest] = tables.filter(({ kind }) => kind === "r").toSorted((a, b) => b.totalBytes - a.totalBytes);
  const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  const of =
    largest === undefined
      ? "there is no table"
      : `the largest table, ${largest.name}, has ${gib(largest.totalBytes)}`;
  return `do not partition: ${of}, and below ${gib(bigBytes)} partitions make every plan dearer and nothing faster`;
}
