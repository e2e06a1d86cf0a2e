/** Names and values as SQL text. */

/** Postgres cuts longer names. */
const NAME_BYTES_MAX = 63;

/** A name that stands for itself: quoted where it must be. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** Words that cannot name a column or table bare (PostgreSQL 18, appendix C, "reserved"). */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently
  constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default
  deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in initially inner
  intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order
  outer overlaps placing primary references returning right select session_user similar some symmetric system_user table tablesample
  then to trailing true union unique user using variadic verbose when where window with`.split(/\s+/),
);

/** `schema.name`. */
export function quoteTable({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** A literal, whatever standard_conforming_strings says. */
export function quoteText(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/** A name with an ending, cut so that the ending stays. */
export function joinName(start: string, end: string): string {
  let kept = start;
  while (Buffer.byteLength(kept + end) > NAME_BYTES_MAX) kept = kept.slice(0, -1);
  return kept + end;
}

const TYPED =
  /\b(date|timestamptz|timestamp|timetz|time|interval)((?:\s+with(?:out)?\s+time\s+zone)?)\s+(\$\d+)/gi;

/** A normalised text as the grammar takes it: pg_stat_statements makes `interval $1` of `interval '1 day'`, which is no SQL. */
export function withCasts(text: string): string {
  return text.replaceAll(TYPED, "$3::$1$2");
}
