/** How rows are spread: by ranges of time, or by hash; and the partitions that follow from it. */
import { quoteName, quoteTable, quoteText, type TableName } from "./names.ts";
import { PartitionProblem } from "./problem.ts";

/** Lengths of a range. */
export const PERIODS = ["month", "week", "day"] as const;
/** How long one partition's range is. */
export type Period = (typeof PERIODS)[number];

/** How a table is partitioned. */
export type Scheme =
  | { readonly kind: "range"; readonly column: string; readonly every: Period }
  | { readonly kind: "hash"; readonly column: string; readonly parts: number };

/** Each statement locks and plans over all partitions it cannot rule out; Postgres' manual advises a few thousand at most. */
export const PARTITIONS_MAX = 1000;

/** Ranges made beyond the latest row and today. */
const AHEAD = 3;
const DAY_MS = 86_400_000;

/** Earliest and latest moment that the table has; undefined for an empty one. */
export interface Seen {
  readonly from: Date;
  readonly to: Date;
}

/** "PARTITION BY …". */
export function partitionBy(scheme: Scheme): string {
  return `partition by ${scheme.kind} (${quoteName(scheme.column)})`;
}

/** One partition: its name and what follows "partition of …". */
export interface Part {
  readonly name: TableName;
  readonly bounds: string;
}

/** All partitions, for ranges from the first row on to three beyond the last (or `now`), and a default one. Throws when they are too many. */
export function partsOf(table: TableName, scheme: Scheme, seen: Seen | undefined, now: Date): Part[] {
  const named = (ending: string): TableName => ({ ...table, table: `${table.table}_${ending}` });
  if (scheme.kind === "hash") {
    return Array.from({ length: scheme.parts }, (_, at) => ({
      name: named(`p${at}`),
      bounds: `for values with (modulus ${scheme.parts}, remainder ${at})`,
    }));
  }
  const parts: Part[] = [];
  const last = new Date(Math.max(now.getTime(), seen?.to.getTime() ?? 0));
  let from = startOf(scheme.every, new Date(Math.min(now.getTime(), seen?.from.getTime() ?? now.getTime())));
  for (let beyond = 0; beyond <= AHEAD; ) {
    const to = after(scheme.every, from);
    if (parts.length >= PARTITIONS_MAX)
      throw new PartitionProblem(
        `one partition every ${scheme.every} from ${day(from)} back to the first row and on to ${day(last)} is more than ${PARTITIONS_MAX}`,
        "write a longer --every, or delete rows whose time is a mistake",
      );
    const ending = day(from).slice(0, scheme.every === "month" ? 7 : 10);
    parts.push({
      name: named(`p${ending.replaceAll("-", "_")}`),
      bounds: `for values from (${moment(from)}) to (${moment(to)})`,
    });
    if (from > last || to > last) beyond++;
    from = to;
  }
  return [...parts, { name: named("default"), bounds: "default" }];
}

/** The statement that makes one; `options` are storage parameters. */
export function createPart({ name, bounds }: Part, parent: TableName, options: readonly string[]): string {
  const stored = options.length === 0 ? "" : ` with ${storage(options)}`;
  return `create table ${quoteTable(name)} partition of ${quoteTable(parent)} ${bounds}${stored}`;
}

/** "(fillfactor = '70')" of "fillfactor=70". */
export function storage(options: readonly string[]): string {
  const given = options.map((option) => {
    const at = option.indexOf("=");
    return `${option.slice(0, at)} = ${quoteText(option.slice(at + 1))}`;
  });
  return `(${given.join(", ")})`;
}

/** The start of the month, the Monday, or the day, in UTC. */
function startOf(every: Period, date: Date): Date {
  const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (every === "month") return new Date(Date.UTC(year, month));
  const back = every === "week" ? (date.getUTCDay() + 6) % 7 : 0;
  return new Date(Date.UTC(year, month, dayOfMonth) - back * DAY_MS);
}

function after(every: Period, from: Date): Date {
  if (every === "month") return new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1));
  return new Date(from.getTime() + (every === "week" ? 7 : 1) * DAY_MS);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** Right for date, timestamp (which drops the zone) and timestamptz. */
function moment(date: Date): string {
  return quoteText(`${day(date)} 00:00:00+00`);
}
