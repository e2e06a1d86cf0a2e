/** Why a table cannot be partitioned while it is written: one row for each reason, with the mend. */
import { TABLE_BYTES_MAX, type TableName } from "./names.ts";
import { PartitionProblem } from "./problem.ts";
import { PARTITIONS_MAX, type Scheme } from "./scheme.ts";
import type { IndexFacts, TableFacts } from "./table-facts.ts";

const TIMES = /^(?:date|timestamp(?:\(\d\))? with(?:out)? time zone)$/;

/** What is wrong, as "… is", and the mend; undefined when nothing is. */
type Check = (
  facts: TableFacts,
  scheme: Scheme,
  table: string,
) => readonly [what: string, mend: string] | undefined;

/** Names, for "has …" checks. */
function has(list: (facts: TableFacts) => readonly string[], what: string, mend: string): Check {
  return (facts, _scheme, table) => {
    const found = list(facts);
    return found.length === 0 ? undefined : [`${table} ${what}: ${found.slice(0, 5).join(", ")}`, mend];
  };
}

const AGAIN = "and make them again on the partitioned one afterwards";

const CHECKS: readonly Check[] = [
  ({ kind }, _, table) => {
    if (kind === "p") return [`${table} is partitioned already`, "partition another table"];
    return kind === "r"
      ? undefined
      : [`${table} is not an ordinary table`, "name a table, not a view or a foreign table"];
  },
  ({ persistence }, _, table) =>
    persistence === "p"
      ? undefined
      : [`${table} is unlogged or temporary`, `alter table ${table} set logged`],
  (_facts, _, table) =>
    Buffer.byteLength(table) <= TABLE_BYTES_MAX
      ? undefined
      : [`the name ${table} leaves no room for our endings`, `rename it to at most ${TABLE_BYTES_MAX} bytes`],
  ({ inherits }, _, table) =>
    inherits
      ? [`${table} inherits, or is inherited from`, "end the inheritance with alter table … no inherit"]
      : undefined,
  ({ columns }, { column }, table) =>
    columns.some(({ name }) => name === column)
      ? undefined
      : [
          `${table} has no column ${column}`,
          `write --by with one of ${columns.map(({ name }) => name).join(", ")}`,
        ],
  (facts, scheme) => keyType(facts, scheme),
  ({ indexes }, { column }, table) => {
    const primary = indexes.find((index) => index.primary);
    if (primary === undefined) return [`${table} has no primary key`, `add one that has ${column} in it`];
    if (primary.deferrable) return [`the primary key of ${table} is deferrable`, "make it one that is not"];
    return undefined;
  },
  has(
    ({ columns, indexes }) => {
      const keys = indexes.find((index) => index.primary)?.columns ?? [];
      return columns.filter(({ name, builtIn }) => keys.includes(name) && !builtIn).map(({ name }) => name);
    },
    "has primary key columns whose type is an extension's",
    "use a type of Postgres itself in the primary key",
  ),
  ({ indexes }, { column }, table) => {
    const without = indexes.filter((index) => index.unique && !index.columns.includes(column));
    if (without.length === 0) return undefined;
    const names = without.map(({ name }) => name).join(", ");
    return [
      `${table} is unique by ${names}, without ${column}, which Postgres cannot hold over partitions`,
      `add ${column} to it (${wider(without[0], column)}), or drop it`,
    ];
  },
  has(({ indexes }) => named(indexes, (index) => index.exclusion), "has exclusion constraints", "drop them"),
  has(
    ({ indexes }) => named(indexes, (index) => !index.valid),
    "has invalid indexes",
    "reindex or drop them",
  ),
  has(
    ({ unvalidated }) => unvalidated,
    "has constraints that are not validated",
    "alter table … validate constraint",
  ),
  has(({ referencedBy }) => referencedBy, "is referenced by foreign keys of other tables", "drop them first"),
  has(({ triggers }) => triggers, "has triggers", `drop them, ${AGAIN}`),
  has(({ rules }) => rules, "has rules", `drop them, ${AGAIN}`),
  has(
    ({ views }) => views,
    "is read by views, which would go on reading the old table",
    `drop them, ${AGAIN}`,
  ),
  has(({ dependents }) => dependents, "is named by what would go on with the old table", `drop it, ${AGAIN}`),
  has(
    ({ publications }) => publications,
    "is in publications",
    "take it out of them, and its subscribers with it",
  ),
  ({ rowSecurity }, _, table) =>
    rowSecurity
      ? [`${table} has row level security`, `alter table ${table} disable row level security`]
      : undefined,
  ({ replicaIdentity }, _, table) =>
    replicaIdentity === "d"
      ? undefined
      : [`${table} has a replica identity of its own`, `alter table ${table} replica identity default`],
  ({ ownTablespace }, _, table) =>
    ownTablespace
      ? [`${table} is in a tablespace of its own`, "move it to the database's default one"]
      : undefined,
  has(
    ({ columns }) =>
      columns.filter(({ generated }) => generated !== "" && generated !== "s").map(({ name }) => name),
    "has virtual generated columns",
    "make them stored",
  ),
  has(
    ({ columns, indexes }) => {
      const keys = indexes.find((index) => index.primary)?.columns ?? [];
      return columns
        .filter(({ name, identity }) => identity === "a" && !keys.includes(name))
        .map(({ name }) => name);
    },
    "has identity columns outside of the primary key that are generated always",
    "alter table … alter … set generated by default",
  ),
];

/** Throws the first reason why `name` cannot be partitioned so. */
export function refuse(name: TableName, facts: TableFacts, scheme: Scheme): void {
  for (const check of CHECKS) {
    const found = check(facts, scheme, name.table);
    if (found !== undefined) throw new PartitionProblem(found[0], found[1]);
  }
}

function keyType({ columns }: TableFacts, scheme: Scheme): readonly [string, string] | undefined {
  const { type = "", generated = "" } = columns.find(({ name }) => name === scheme.column) ?? {};
  if (generated !== "")
    return [`${scheme.column} is a generated column, which cannot be the key`, "name another column"];
  if (scheme.kind === "range" && !TIMES.test(type))
    return [
      `${scheme.column} is of type ${type}, which has no months`,
      `write --by "hash(${scheme.column})" --parts 8, or name a date or timestamp`,
    ];
  if (scheme.kind === "hash" && !(scheme.parts >= 2 && scheme.parts <= PARTITIONS_MAX))
    return [`${scheme.parts} parts are none`, `write --parts with 2 to ${PARTITIONS_MAX}`];
  return undefined;
}

function named(indexes: readonly IndexFacts[], wanted: (index: IndexFacts) => boolean): string[] {
  return indexes.filter(wanted).map(({ name }) => name);
}

function wider(index: IndexFacts | undefined, column: string): string {
  const columns = [...(index?.columns ?? []), column].join(", ");
  return `${index?.primary === true ? "primary key" : "unique"} (${columns})`;
}
