/**
 * The SQL of partitioning a table that is written meanwhile.
 *
 *   make    a partitioned twin, and triggers that carry each write of the table to it, in the writer's own transaction
 *   copy    rows by primary key, a range at a time, under FOR SHARE: what a writer holds is waited for and read again, and
 *           what the triggers have put into the twin already is left alone. So each row of the twin is the table's.
 *   compare both in one snapshot
 *   swap    the names, in one short transaction
 *
 * Rows locked by the copy cannot change before it commits, and whoever changes them later finds them in the twin.
 */
import {
  KEPT_ENDING,
  keptIndexOf,
  keptOf,
  MIRROR,
  quoteName,
  quoteTable,
  quoteText,
  stateOf,
  type TableName,
  twinOf,
} from "./names.ts";
import { createPart, type Part, partitionBy, type Scheme, storage } from "./scheme.ts";
import { type ColumnFacts, fingerprintOf, type IndexFacts, type TableFacts } from "./table-facts.ts";

/** What is made of which table. */
export interface Plan {
  readonly name: TableName;
  readonly facts: TableFacts;
  readonly scheme: Scheme;
  readonly parts: readonly Part[];
}

/** Where a copy is: the values of the primary key as text. */
export type Position = readonly string[];

/** Makes twin, triggers and state: one transaction, all or nothing. */
export function makeSteps(plan: Plan): string[] {
  const { name, facts, scheme, parts } = plan;
  const twin = twinOf(name);
  return [
    `create table ${quoteTable(twin)} (like ${quoteTable(name)} including all excluding indexes) ${partitionBy(scheme)}`,
    ...parts.map((part) => createPart(part, twin, facts.options)),
    ...facts.columns.flatMap((column) => columnSteps(twin, column)),
    ...facts.indexes.flatMap((index) => [createIndex(twin, index), ...indexComment(name, index)]),
    ...facts.grants.map(({ privilege, grantee, grantable, column }) => {
      const what = column === null ? privilege : `${privilege} (${quoteName(column)})`;
      return `grant ${what} on ${quoteTable(twin)} to ${grantee}${grantable ? " with grant option" : ""}`;
    }),
    ...(facts.comment === null
      ? []
      : [`comment on table ${quoteTable(twin)} is ${quoteText(facts.comment)}`]),
    ...stateSteps(plan),
    mirrorFunction(plan),
    // From here on writers wait: that of CREATE TRIGGER, taken before the locks of foreign keys, since writers take theirs in that order.
    `lock table ${quoteTable(name)} in share row exclusive mode`,
    ...facts.foreignKeys.map(
      (key) => `alter table ${quoteTable(twin)} add constraint ${quoteName(key.name)} ${key.definition}`,
    ),
    ...mirrorTriggers(plan),
  ];
}

function stateSteps({ name, facts, scheme }: Plan): string[] {
  const state = quoteTable(stateOf(name));
  return [
    `create table ${state} (scheme text not null, fingerprint text not null, stage text not null, position jsonb, copied bigint not null)`,
    `insert into ${state} values (${quoteText(JSON.stringify(scheme))}, ${quoteText(fingerprintOf(facts))}, 'copying', null, 0)`,
  ];
}

function createIndex(twin: TableName, index: IndexFacts): string {
  const name = quoteName(twinIndex(index));
  if (index.constraint !== null)
    return `alter table ${quoteTable(twin)} add constraint ${name} ${index.constraint}`;
  return `create ${index.unique ? "unique " : ""}index ${name} on ${quoteTable(twin)} ${index.using}`;
}

function indexComment(name: TableName, index: IndexFacts): string[] {
  if (index.comment === null) return [];
  const made = quoteTable({ ...name, table: twinIndex(index) });
  return [`comment on index ${made} is ${quoteText(index.comment)}`];
}

/** What LIKE leaves out of a column. */
function columnSteps(twin: TableName, { name, statistics, options }: ColumnFacts): string[] {
  const alter = `alter table ${quoteTable(twin)} alter column ${quoteName(name)} set`;
  return [
    ...(statistics === null ? [] : [`${alter} statistics ${statistics}`]),
    ...(options.length === 0 ? [] : [`${alter} ${storage(options)}`]),
  ];
}

function twinIndex({ oid }: IndexFacts): string {
  return `tenfold_index_${oid}`;
}

function mirror({ name, facts }: Plan): string {
  return quoteTable({ ...name, table: `${MIRROR}_${facts.oid}` });
}

/**
 * Runs as the owner, since writers need no right to the twin. A snapshot that is older than the copy of a row does not see that row in the twin, and a
 * plain DELETE would miss it: the INSERT before it makes Postgres say 40001 instead, which whoever asked for such a snapshot repeats.
 */
function mirrorFunction(plan: Plan): string {
  const twin = quoteTable(twinOf(plan.name));
  const keys = keyColumns(plan.facts);
  const same = keys.map((key) => `${key} = old.${key}`).join(" and ");
  const moved = keys.map((key) => `old.${key} is distinct from new.${key}`).join(" or ");
  return `create function ${mirror(plan)}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as ${quoteText(`
#variable_conflict use_column
declare gone boolean := tg_op = 'DELETE';
begin
  if tg_op = 'TRUNCATE' then
    truncate ${twin};
    return null;
  end if;
  if tg_op = 'UPDATE' then gone := ${moved}; end if;
  if gone then
    if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
      ${upsert(plan, "old")};
    end if;
    delete from ${twin} where ${same};
  end if;
  if tg_op <> 'DELETE' then
    ${upsert(plan, "new")};
  end if;
  return null;
end`)}`;
}

function upsert(plan: Plan, row: "old" | "new"): string {
  const { columns, keys, twin } = partsOfCopy(plan);
  const others = columns.filter((column) => !keys.includes(column));
  const values = columns.map((column) => `${row}.${column}`).join(", ");
  // A row that has nothing but its key is still touched: DO NOTHING would not notice one that the snapshot cannot see.
  const set = (others.length === 0 ? keys.slice(0, 1) : others).map(
    (column) => `${column} = excluded.${column}`,
  );
  return `insert into ${twin} (${columns.join(", ")}) overriding system value values (${values})
      on conflict (${keys.join(", ")}) do update set ${set.join(", ")}`;
}

function mirrorTriggers(plan: Plan): string[] {
  const table = quoteTable(plan.name);
  return [
    `create trigger ${MIRROR}_rows after insert or update or delete on ${table} for each row execute function ${mirror(plan)}()`,
    `create trigger ${MIRROR}_truncate after truncate on ${table} execute function ${mirror(plan)}()`,
    `alter table ${table} enable always trigger ${MIRROR}_rows`,
    `alter table ${table} enable always trigger ${MIRROR}_truncate`,
  ];
}

/** The key `rows` rows after `from`: one row of texts, or none when fewer are left. */
export function boundQuery(plan: Plan, from: Position | undefined, rows: number): string {
  const keys = keyColumns(plan.facts);
  const texts = keys.map((key, at) => `t.${key}::text as k${at}`).join(", ");
  return `select ${texts} from only ${quoteTable(plan.name)} t ${within(plan, from, undefined)}
  order by ${keys.map((key) => `t.${key}`).join(", ")} limit 1 offset ${rows - 1}`;
}

/** Copies the rows after `from` up to `to`, and keeps that they are: one transaction. Without `to`, the rest. */
export function copySteps(
  plan: Plan,
  from: Position | undefined,
  to: Position | undefined,
  rows: number,
): string[] {
  const { columns, keys, twin } = partsOfCopy(plan);
  const { name } = plan;
  const position = to === undefined ? "position" : `${quoteText(JSON.stringify(to))}::jsonb`;
  return [
    `insert into ${twin} (${columns.join(", ")}) overriding system value
  select ${columns.map((column) => `t.${column}`).join(", ")} from only ${quoteTable(name)} t ${within(plan, from, to)} for share
  on conflict (${keys.join(", ")}) do nothing`,
    `update ${quoteTable(stateOf(name))} set position = ${position}, copied = copied + ${rows}${to === undefined ? ", stage = 'copied'" : ""}`,
  ];
}

function within(plan: Plan, from: Position | undefined, to: Position | undefined): string {
  const keys = keyColumns(plan.facts).map((key) => `t.${key}`);
  const types = keyTypes(plan.facts);
  const row = (values: Position) => values.map((value, at) => `${quoteText(value)}::${types[at]}`).join(", ");
  const tests = [
    ...(from === undefined ? [] : [`(${keys.join(", ")}) > (${row(from)})`]),
    ...(to === undefined ? [] : [`(${keys.join(", ")}) <= (${row(to)})`]),
  ];
  return tests.length === 0 ? "" : `where ${tests.join(" and ")}`;
}

/** Count and checksum of both; true in the column "same" when they agree. */
export function compareQuery({ name }: Plan): string {
  const sums = (table: TableName) =>
    `(select count(*) as n, coalesce(sum(hashtextextended(t::text, 0)), 0) as sum from only_rows t)`.replace(
      "only_rows",
      quoteTable(table),
    );
  return `select a.n as rows, b.n as twin_rows, (a.n = b.n and a.sum = b.sum) as same from ${sums(name)} a, ${sums(twinOf(name))} b`;
}

/** Taken before the swap's last look at the definition. */
export function lockStep({ name }: Plan): string {
  return `lock table ${quoteTable(name)}, ${quoteTable(twinOf(name))} in access exclusive mode`;
}

/** The twin takes the table's name, its sequences and the names of its indexes. */
export function swapSteps(plan: Plan): string[] {
  const { name, facts } = plan;
  const twin = quoteTable(twinOf(name));
  const rename = (from: TableName, to: string) =>
    `alter table ${quoteTable(from)} rename to ${quoteName(to)}`;
  const renameIndex = (from: string, to: string) =>
    `alter index ${quoteTable({ ...name, table: from })} rename to ${quoteName(to)}`;
  return [
    ...unmirrorSteps(plan),
    ...facts.columns.flatMap(({ name: column, identity, sequence }) => {
      if (sequence === null) return [];
      if (identity === "") return [`alter sequence ${sequence} owned by ${twin}.${quoteName(column)}`];
      const made = `pg_get_serial_sequence(${quoteText(twin)}, ${quoteText(column)})`;
      return [
        `select setval(${made}::regclass, last_value, is_called) from ${sequence}`,
        // The new one takes the old one's name: somebody may call it by that.
        `do ${quoteText(`declare old name := (select relname from pg_class where oid = ${quoteText(sequence)}::regclass);
begin
  execute format('alter sequence ${sequence.replaceAll("'", "''").replaceAll("%", "%%")} rename to %I', left(old, ${63 - KEPT_ENDING.length}) || '${KEPT_ENDING}');
  execute format('alter sequence %s rename to %I', ${made}, old);
end`)}`,
      ];
    }),
    ...facts.indexes.flatMap((index) => [
      renameIndex(index.name, keptIndexOf(index.name)),
      renameIndex(twinIndex(index), index.name),
    ]),
    rename(name, keptOf(name).table),
    rename(twinOf(name), name.table),
    `update ${quoteTable(stateOf(name))} set stage = 'swapped'`,
  ];
}

/** Takes the triggers away. */
function unmirrorSteps(plan: Plan): string[] {
  const table = quoteTable(plan.name);
  return [
    `drop trigger ${MIRROR}_rows on ${table}`,
    `drop trigger ${MIRROR}_truncate on ${table}`,
    `drop function ${mirror(plan)}()`,
  ];
}

/** Undoes what `makeSteps` made. */
export function abortSteps(plan: Plan): string[] {
  return [...unmirrorSteps(plan), `drop table ${quoteTable(twinOf(plan.name))}`, ...forgetSteps(plan.name)];
}

/** Drops the table that was kept. */
export function dropOldSteps(name: TableName): string[] {
  return [`drop table if exists ${quoteTable(keptOf(name))}`, ...forgetSteps(name)];
}

/** Forgets that there was a copy. */
export function forgetSteps(name: TableName): string[] {
  return [`drop table ${quoteTable(stateOf(name))}`];
}

/** Columns that are written, quoted, and those of the primary key. */
function partsOfCopy({ name, facts }: Plan) {
  const columns = facts.columns
    .filter(({ generated }) => generated === "")
    .map((column) => quoteName(column.name));
  return { columns, keys: keyColumns(facts), twin: quoteTable(twinOf(name)) };
}

function keyNames({ indexes }: TableFacts): readonly string[] {
  return indexes.find((index) => index.primary)?.columns ?? [];
}

function keyColumns(facts: TableFacts): string[] {
  return keyNames(facts).map(quoteName);
}

function keyTypes(facts: TableFacts): string[] {
  return keyNames(facts).map((key) => facts.columns.find(({ name }) => name === key)?.type ?? "text");
}
