/**
 * Indexes that statements ask for and nobody made: columns compared for equality first, then one range, then the order; the most
 * selective first. Candidates are guesses: what they are worth is measured on a copy before anybody hears of them.
 *
 * Order of columns after Lahdenmäki & Leach, "Relational Database Index Design and the Optimizers" (2005), chapter 4.
 */
import { type Catalog, type ColumnFacts, equalityShare, type IndexFacts, type TableFacts } from "./catalog.ts";
import { joinName, quoteName, quoteTable } from "./sql-text.ts";
import type { Condition, StatementNeeds, TableNeeds } from "./statement-needs.ts";

/** An index that may be worth having. */
export interface IndexCandidate {
  readonly table: TableFacts;
  readonly keys: readonly { readonly column: string; readonly descending: boolean }[];
  readonly included: readonly string[];
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

/** Columns that may be added so that the table itself need not be read, and their width. */
const INCLUDED_MAX = 2;
const INCLUDED_BYTES_MAX = 32;

/** A predicate that holds for at most this share of the rows makes the index that much smaller. */
const PREDICATE_SHARE_MAX = 0.2;

/** Candidates for all statements, alike ones merged. */
export function indexCandidates(
  statements: readonly { readonly id: string; readonly needs: StatementNeeds }[],
  catalog: Catalog,
): readonly IndexCandidate[] {
  const all = statements.flatMap(({ id, needs }) =>
    needs.tables.flatMap((need) => candidateOf(id, need, catalog) ?? []),
  );
  return merged(all);
}

function candidateOf(id: string, needs: TableNeeds, catalog: Catalog): IndexCandidate | undefined {
  const { table } = needs;
  if (table.heapBytes < HEAP_BYTES_MIN) return undefined;
  const facts = (name: string): ColumnFacts | undefined => table.columns.find((column) => column.name === name);
  const share = (name: string): number => {
    const column = facts(name);
    return column === undefined ? 1 : equalityShare(column, table.rows);
  };
  const predicate = predicateOf(needs.conditions, facts);
  const rest = needs.conditions.filter((condition) => condition.column !== predicate?.column);
  const narrowing = namesOf(rest, ["=", "in", "join", "is-null"]).toSorted((a, b) => share(a) - share(b));
  const equal = narrowing.filter((name) => isIndexable(facts(name)));
  const ranges = namesOf(rest, ["<", ">", "between"]).filter(
    (name) => !equal.includes(name) && isIndexable(facts(name)),
  );
  const order = needs.order.filter(({ column }) => !equal.includes(column));
  const ordered = needs.hasLimit && order.length > 0 && !namesOf(rest, ["in"]).some((name) => equal.includes(name));
  const tail = tailOf(ranges, ordered ? order : []);
  const keys = [...equal.map((column) => ({ column, descending: false })), ...tail].slice(0, KEYS_MAX);
  const selected = equal.reduce((product, name) => product * share(name), predicate?.share ?? 1);
  if (keys.length === 0 || (selected > SHARE_MAX && ranges.length === 0 && !ordered)) return undefined;
  if (isServed(keys, table, predicate?.text, catalog.indexes)) return undefined;
  const names = keys.map(({ column }) => column);
  return {
    table,
    keys: simplified(keys, equal.length),
    included: includedOf(needs, [...names, ...(predicate === undefined ? [] : [predicate.column])]),
    predicate: predicate?.text,
    statements: [id],
    reasons: reasonsOf({ equal, ranges, ordered, selected, table, predicate: predicate?.text }),
  };
}

/** One range narrows; a column after it cannot. Where the order is wanted and it is the range's too, both are served. */
function tailOf(
  ranges: readonly string[],
  order: readonly { readonly column: string; readonly descending: boolean }[],
): readonly { readonly column: string; readonly descending: boolean }[] {
  const [range] = ranges;
  if (range === undefined) return order;
  return order[0]?.column === range ? order : [{ column: range, descending: false }];
}

/** An index is read backwards as well: DESC is only written where directions differ. */
function simplified(keys: IndexCandidate["keys"], equalCount: number): IndexCandidate["keys"] {
  const tail = keys.slice(equalCount);
  const mixed = tail.some(({ descending }) => descending !== tail[0]?.descending);
  return mixed ? keys : keys.map(({ column }) => ({ column, descending: false }));
}

/** Names of columns with such a condition, each once. */
function namesOf(conditions: readonly Condition[], comparisons: readonly Condition["comparison"][]): string[] {
  const found = conditions.filter(({ comparison }) => comparisons.includes(comparison));
  return [...new Set(found.map(({ column }) => column))];
}

/** Types that a B-tree orders by with use. */
function isIndexable(column: ColumnFacts | undefined): boolean {
  return column !== undefined && !/^(json|jsonb|xml|bytea|point|box|tsvector|.*\[\])$/.test(column.type);
}

/** A rare constant, or a rare NULL, that stands in the statement's text. */
function predicateOf(
  conditions: readonly Condition[],
  facts: (name: string) => ColumnFacts | undefined,
): { column: string; text: string; share: number } | undefined {
  for (const { column, comparison, constant } of conditions) {
    const known = facts(column);
    if (known === undefined) continue;
    if (comparison === "is-null" && known.nullFraction > 0 && known.nullFraction <= PREDICATE_SHARE_MAX)
      return { column, text: `${quoteName(column)} IS NULL`, share: known.nullFraction };
    const value = constant?.replace(/^'(.*)'$/s, "$1");
    const common = known.common.find((each) => each.value === value || BOOLEANS[each.value] === value);
    if (constant !== undefined && common !== undefined && common.fraction <= PREDICATE_SHARE_MAX)
      return { column, text: `${quoteName(column)} = ${constant}`, share: common.fraction };
  }
  return undefined;
}

/** How booleans are written in statistics and in statements. */
const BOOLEANS: Readonly<Record<string, string>> = { t: "true", f: "false" };

/** Whether an index begins with the same columns (equal ones in any order), for the rows that are asked for. */
function isServed(
  keys: IndexCandidate["keys"],
  table: TableFacts,
  predicate: string | undefined,
  indexes: readonly IndexFacts[],
): boolean {
  const wanted = keys.map(({ column }) => column);
  return indexes.some((index) => {
    if (index.schema !== table.schema || index.table !== table.name || !index.isValid) return false;
    if (index.method !== "btree") return false;
    if (index.predicate !== undefined && predicate === undefined) return false;
    const start = index.columns.slice(0, wanted.length);
    return wanted.every((column, at) => start[at] === column) || (index.isUnique && covers(wanted, index));
  });
}

function covers(wanted: readonly string[], { columns, predicate }: IndexFacts): boolean {
  return predicate === undefined && columns.every((column) => column !== undefined && wanted.includes(column));
}

/** The few narrow columns that are read besides the keys. */
function includedOf({ reads, table }: TableNeeds, keys: readonly string[]): readonly string[] {
  if (reads === undefined) return [];
  const more = reads.filter((name) => !keys.includes(name));
  const widths = more.map((name) => table.columns.find((column) => column.name === name)?.widthBytes ?? Infinity);
  const bytes = widths.reduce((sum, width) => sum + width, 0);
  const isChurned = table.updates > table.inserts + table.deletes; // updates of included columns are no longer HOT
  return more.length <= INCLUDED_MAX && bytes <= INCLUDED_BYTES_MAX && !isChurned ? more : [];
}

interface Found {
  readonly equal: readonly string[];
  readonly ranges: readonly string[];
  readonly ordered: boolean;
  readonly selected: number;
  readonly table: TableFacts;
  readonly predicate: string | undefined;
}

function reasonsOf({ equal, ranges, ordered, selected, table, predicate }: Found): readonly string[] {
  const rows = Math.max(1, Math.round(selected * table.rows));
  const scans = table.sequentialScans;
  return [
    ...(equal.length === 0 ? [] : [`${equal.join(", ")}: about ${rows} of ${table.rows} rows`]),
    ...(ranges[0] === undefined ? [] : [`${ranges[0]} is compared with a range`]),
    ...(ordered ? ["the order is the index's, so that LIMIT stops early"] : []),
    ...(predicate === undefined ? [] : [`only rows where ${predicate} are asked for`]),
    ...(scans === 0 ? [] : [`${scans} scans of the whole table so far`]),
  ];
}

/** One index for those whose columns another begins with, and for those that differ in what they include. */
function merged(all: readonly IndexCandidate[]): readonly IndexCandidate[] {
  const kept: IndexCandidate[] = [];
  for (const candidate of all.toSorted((a, b) => b.keys.length - a.keys.length)) {
    const at = kept.findIndex((longer) => beginsWith(longer, candidate));
    const longer = kept[at];
    if (longer === undefined) kept.push(candidate);
    else
      kept[at] = {
        ...longer,
        included: union(longer.included, candidate.included, INCLUDED_MAX, longer.keys),
        statements: [...new Set([...longer.statements, ...candidate.statements])],
        reasons: [...new Set([...longer.reasons, ...candidate.reasons])],
      };
  }
  return kept;
}

function beginsWith(longer: IndexCandidate, shorter: IndexCandidate): boolean {
  if (longer.table !== shorter.table || longer.predicate !== shorter.predicate) return false;
  return shorter.keys.every(
    ({ column, descending }, at) => longer.keys[at]?.column === column && longer.keys[at]?.descending === descending,
  );
}

function union(
  a: readonly string[],
  b: readonly string[],
  max: number,
  keys: IndexCandidate["keys"],
): readonly string[] {
  const names = [...new Set([...a, ...b])].filter((name) => !keys.some(({ column }) => column === name));
  return names.length <= max ? names : a;
}

/** Its name: the table, its columns, "idx", as PostgreSQL names them. */
export function indexName({ table, keys }: IndexCandidate): string {
  return joinName([table.name, ...keys.map(({ column }) => column)].join("_"), "_idx");
}

/** The statement that makes it; `concurrently` = without stopping writes. */
export function createIndexSql(candidate: IndexCandidate, concurrently: boolean): string {
  const { table, keys, included, predicate } = candidate;
  const columns = keys.map(({ column, descending }) => `${quoteName(column)}${descending ? " DESC" : ""}`);
  return [
    `CREATE INDEX ${concurrently ? "CONCURRENTLY " : ""}${quoteName(indexName(candidate))}`,
    `ON ${quoteTable(table)} (${columns.join(", ")})`,
    ...(included.length === 0 ? [] : [`INCLUDE (${included.map(quoteName).join(", ")})`]),
    ...(predicate === undefined ? [] : [`WHERE ${predicate}`]),
  ].join(" ");
}
