/** Names and texts inside SQL, and what the things are called that partitioning a table makes. */

/** A table in its schema; names as the catalog has them, unquoted. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Longest name of a table that is partitioned, in bytes: with our endings it still fits into Postgres' 63. */
export const TABLE_BYTES_MAX = 40;

/** What follows the names of what the swap keeps. */
export const KEPT_ENDING = "_before_partition";
const NAME_BYTES_MAX = 63;

/** Parts of a name: quoted as in SQL, or exactly as the catalog writes it, without a dot. */
const PARTS = /"(?:[^"]|"")*"(?=\.|$)|[^.]+|\./g;
const QUOTED = /^"((?:[^"]|"")+)"$/;

/** "orders" (in "public"), "shop.orders", or parts in double quotes, where a name has dots; undefined for anything else. */
export function parseTableName(text: string): TableName | undefined {
  const [first = "", dot, second = "", more] = text.match(PARTS) ?? [];
  const start = parseName(first);
  if (start === undefined || more !== undefined) return undefined;
  if (dot === undefined) return { schema: "public", table: start };
  const table = parseName(second);
  return dot === "." && table !== undefined ? { schema: start, table } : undefined;
}

/** One name, quoted as in SQL or as it is; undefined when it is none. */
export function parseName(text: string): string | undefined {
  const name = QUOTED.exec(text)?.[1]?.replaceAll('""', '"') ?? text;
  return name === "" || name === "." || name.includes("\0") ? undefined : name;
}

/** As one word of a shell, for commands that are shown. */
export function wordOf({ schema, table }: TableName): string {
  const part = (name: string): string => (/[".]/.test(name) ? quoteName(name) : name);
  const text = schema === "public" ? part(table) : `${part(schema)}.${part(table)}`;
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
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
