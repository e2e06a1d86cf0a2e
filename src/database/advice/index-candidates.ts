/**
 * Indexes that statements ask for and nobody made: columns compared for equality first, the most selective first, then one range, then
 * the order. Candidates are guesses: what they are worth is measured on a copy before anybody is told to make one.
 *
 * Order of columns after Lahdenmäki & Leach, "Relational Database Index Design and the Optimizers" (2005), chapter 4.
 */
import {
  type Catalog,
  type ColumnFacts,
  equalityShare,
  type IndexFacts,
  type TableFacts,
} from "./catalog.ts";
import { joinName, quoteName, quoteTable } from "./sql-text.ts";
import type { Comparison, Condition, StatementNeeds, TableNeeds } from "./statement-needs.ts";

/** One key: a column, or a function of it. */
export interface IndexKey {
  readonly column: string;
  readonly wrapped: string | undefined;
  readonly descending: boolean;
}

/** An index that may be worth having. */
export interface IndexCandidate {
  readonly table: TableFacts;
  readonly keys: readonly IndexKey[];
  readonly predicate: string | undefined;
  /** Statements that would use it, by their id. */
  readonly statements: readonly string[];
  readonly reasons: readonly string[];
}

/** Below this, reading the whole table is as fast as an index: 1 MiB is 128 blocks. */
const HEAP_BYTES_MIN = 1024 * 1024;

/** Of the rows; above it PostgreSQL reads the table anyway. */
const SHARE_MAX = 0.1;

/** More columns cost more than they narrow. */
const KEYS_MAX = 4;

/** A predicate that holds for at most this share of the rows makes the index that much smaller. */
const PREDICATE_SHARE_MAX = 0.2;

const EQUAL: readonly Comparison[] = ["=", "in", "any", "join"];
const RANGE: readonly Comparison[] = ["<", ">"];

/** Candidates for all statements, alike ones merged. */
export function indexCandidates(
  statements: readonly { readonly id: string; readonly needs: StatementNeeds }[],
  { indexes }: Catalog,
): readonly IndexCandidate[] {
  return merged(
    statements.flatMap(({ id, needs }) =>
      needs.tables.flatMap((need) => candidateOf(id, need, indexes) ?? []),
    ),
  );
}

function candidateOf(
  id: string,
  needs: TableNeeds,
  indexes: readonly IndexFacts[],
): IndexCandidate | undefined {
  const { table, conditions } = needs;
  if (table.heapBytes < HEAP_BYTES_MIN) return undefined;
  const predicate = predicateOf(conditions, table);
  const rest = conditions.filter(
    (condition) => condition.column !== predicate?.column && isIndexable(condition, table),
  );
  const equal = keysOf(rest, EQUAL).toSorted((a, b) => shareOf(a, table) - shareOf(b, table));
  const isEqual = (column: string): boolean => equal.some((key) => key.column === column);
  const ranges = keysOf(rest, RANGE).filter(({ column }) => !isEqual(column));
  const order = needs.order.filter(({ column }) => !isEqual(column));
  const hasLists = rest.some(({ comparison }) => comparison === "in" || comparison === "any");
  const isOrdered = needs.hasLimit && order.length > 0 && !hasLists;
  const tail = tailOf(ranges, isOrdered ? simplified(order) : []);
  const found = [...equal, ...tail].slice(0, KEYS_MAX);
  const keys = found.length === 0 ? predicateKey(predicate) : found;
  const selected = equal.reduce((product, key) => product * shareOf(key, table), predicate?.share ?? 1);
  if (keys.length === 0 || (selected > SHARE_MAX && ranges.length === 0 && !isOrdered)) return undefined;
  if (isServed(keys, equal.length, needs, indexes)) return undefined;
  const reasons = [
    ...(equal.length === 0 ? [] : [rowsText(equal, selected, table)]),
    ...(ranges[0] === undefined ? [] : [`${keyText(ranges[0])} is compared with a range`]),
    ...(isOrdered ? ["the order is the index's, so that LIMIT stops early"] : []),
    ...(predicate === undefined ? [] : [`only rows where ${predicate.text} are asked for`]),
  ];
  return { table, keys, predicate: predicate?.text, statements: [id], reasons };
}

function rowsText(keys: readonly IndexKey[], selected: number, { rows }: TableFacts): string {
  return `${keys.map(keyText).join(", ")}: about ${Math.max(1, Math.round(selected * rows))} of ${rows} rows`;
}

/** Keys with such a condition, each once. */
function keysOf(conditions: readonly Condition[], comparisons: readonly Comparison[]): readonly IndexKey[] {
  const found = conditions.filter(({ comparison }) => comparisons.includes(comparison));
  const keys = found.map(({ column, wrapped }): IndexKey => ({ column, wrapped, descending: false }));
  return [...new Map(keys.map((key) => [keyText(key), key])).values()];
}

/** One range narrows; a column after it cannot. Where the order is wanted and it is the range's too, both are served. */
function tailOf(ranges: readonly IndexKey[], order: readonly IndexKey[]): readonly IndexKey[] {
  const [range] = ranges;
  if (range === undefined) return order;
  return range.wrapped === undefined && order[0]?.column === range.column ? order : [range];
}

/** An index is read backwards as well: DESC is only written where directions differ. */
function simplified(order: TableNeeds["order"]): readonly IndexKey[] {
  const isMixed = order.some(({ descending }) => descending !== order[0]?.descending);
  return order.map(({ column, descending }) => ({
    column,
    wrapped: undefined,
    descending: isMixed && descending,
  }));
}

function columnOf(name: string, { columns }: TableFacts): ColumnFacts | undefined {
  return columns.find((column) => column.name === name);
}

/** A function of a column has as many values as the column, about. */
function shareOf({ column }: IndexKey, table: TableFacts): number {
  const facts = columnOf(column, table);
  return facts === undefined ? 1 : equalityShare(facts, table.rows);
}

/** Types that a B-tree orders by with use. */
function isIndexable({ column }: Condition, table: TableFacts): boolean {
  const type = columnOf(column, table)?.type;
  return type !== undefined && !/^(json|jsonb|xml|bytea|point|box|tsvector|.*\[\])$/.test(type);
}

/** A rare NULL that is asked for. Other constants are parameters by the time that statistics show them. */
function predicateOf(
  conditions: readonly Condition[],
  table: TableFacts,
): { readonly column: string; readonly text: string; readonly share: number } | undefined {
  for (const { column, comparison, wrapped } of conditions) {
    const share = columnOf(column, table)?.nullFraction ?? 0;
    if (comparison === "is-null" && wrapped === undefined && share > 0 && share <= PREDICATE_SHARE_MAX)
      return { column, text: `${quoteName(column)} IS NULL`, share };
  }
  return undefined;
}

/** An index of nothing but the rows that are asked for still needs a key. */
function predicateKey(predicate: { readonly column: string } | undefined): readonly IndexKey[] {
  return predicate === undefined ? [] : [{ column: predicate.column, wrapped: undefined, descending: false }];
}

/**
 * Whether an index begins with the same keys, the `equalCount` first in any order, for the rows that are asked for; or finds the
 * one row anyway.
 */
function isServed(
  keys: readonly IndexKey[],
  equalCount: number,
  { table, conditions }: TableNeeds,
  indexes: readonly IndexFacts[],
): boolean {
  const wanted = keys.map(({ column, wrapped }) =>
    wrapped === undefined ? column : `${wrapped}(${column})`,
  );
  const nulls = conditions.filter(({ comparison }) => comparison === "is-null");
  const predicates = nulls.map(({ column }) => `(${quoteName(column)} IS NULL)`);
  return indexes.some((index) => {
    if (index.schema !== table.schema || index.table !== table.name || !index.isValid) return false;
    if (index.method !== "btree") return false;
    if (index.predicate !== undefined && !predicates.includes(index.predicate)) return false;
    const has = index.columns.map((column) => column.replaceAll(/[()]|::text/g, ""));
    const same = wanted.map((key) => key.replaceAll(/[()]/g, ""));
    const start = has.slice(0, equalCount);
    const isBegun = same.every((key, at) => (at < equalCount ? start.includes(key) : has[at] === key));
    const isOneRow = index.isUnique && index.predicate === undefined;
    return isBegun || (isOneRow && has.every((key) => same.slice(0, equalCount).includes(key)));
  });
}

/** One index for those whose columns another begins with. */
function merged(all: readonly IndexCandidate[]): readonly IndexCandidate[] {
  const kept: IndexCandidate[] = [];
  for (const candidate of all.toSorted((a, b) => b.keys.length - a.keys.length)) {
    const at = kept.findIndex((longer) => beginsWith(longer, candidate));
    const longer = kept[at];
    if (longer === undefined) kept.push(candidate);
    else
      kept[at] = {
        ...longer,
        statements: [...new Set([...longer.statements, ...candidate.statements])],
        reasons: [...new Set([...longer.reasons, ...candidate.reasons])],
      };
  }
  return kept;
}

function beginsWith(longer: IndexCandidate, shorter: IndexCandidate): boolean {
  if (longer.table !== shorter.table || longer.predicate !== shorter.predicate) return false;
  return shorter.keys.every((key, at) => {
    const other = longer.keys[at];
    return other !== undefined && keyText(other) === keyText(key) && other.descending === key.descending;
  });
}

function keyText({ column, wrapped }: IndexKey): string {
  return wrapped === undefined ? quoteName(column) : `${wrapped}(${quoteName(column)})`;
}

/** Its name: the table, its columns, "idx", as PostgreSQL names them. */
export function indexName({ table, keys }: IndexCandidate): string {
  const words = keys.map(({ column, wrapped }) => (wrapped === undefined ? column : `${wrapped}_${column}`));
  return joinName([table.name, ...words].join("_"), "_idx");
}

/** The statement that makes it; `concurrently` = without stopping writes. `on`: another table of the same columns. */
export function createIndexSql(candidate: IndexCandidate, concurrently: boolean, on?: string): string {
  const { table, keys, predicate } = candidate;
  const columns = keys.map((key) => `${keyText(key)}${key.descending ? " DESC" : ""}`);
  const name = on === undefined ? ` ${quoteName(indexName(candidate))}` : "";
  const where = predicate === undefined ? "" : ` WHERE ${predicate}`;
  const how = concurrently ? " CONCURRENTLY" : "";
  return `CREATE INDEX${how}${name} ON ${on ?? quoteTable(table)} (${columns.join(", ")})${where}`;
}
