/** Names and texts inside SQL, and what the things are called that partitioning a table makes. */

/** A table in its schema; names as the catalog has them, unquoted. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Longest name of a table that is partitioned, in bytes: with our endings it still fits into Postgres' 63. */
export const TABLE_BYTES_MAX = 40;

const KEPT_ENDING = "_before_partition";
const NAME_BYTES_MAX = 63;

/** "orders" (in "public") or "shop.orders", exactly as the catalog writes it; undefined for anything else. */
export function parseTableName(text: string): TableName | undefined {
  const parts = text.split(".");
  if (parts.length > 2 || parts.some((part) => part === "" || part.includes("\0"))) return undefined;
  const [first = "", second] = parts;
  return second === undefined ? { schema: "public", table: first } : { schema: first, table: second };
}

/** An identifier for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A literal for SQL; standard_conforming_strings must be on. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** "schema"."table" for SQL. */
export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

/** What the partitioned twin is called until it takes the table's name. */
export function twinOf({ schema, table }: TableName): TableName {
  return { schema, table: `${table}_partitioned` };
}

/** What the table is called after the swap. */
export function keptOf({ schema, table }: TableName): TableName {
  return { schema, table: `${table}${KEPT_ENDING}` };
}

/** What an index of the kept table is called after the swap; cut to fit. */
export function keptIndexOf(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > NAME_BYTES_MAX - KEPT_ENDING.length) cut = cut.slice(0, -1);
  return `${cut}${KEPT_ENDING}`;
}

/** The function and the triggers that carry writes to the twin. */
export const MIRROR = "tenfold_mirror";

/** Where the state of a table's copy is. */
export function stateOf({ schema, table }: TableName): TableName {
  return { schema, table: `${table}_partitioning` };
}
