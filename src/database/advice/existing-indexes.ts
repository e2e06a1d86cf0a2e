/** What is wrong with indexes that are there: nobody uses them, another one does the same, or their making failed. */
import { type Catalog, type IndexFacts, servesForeignKey } from "./catalog.ts";
import { quoteName } from "./sql-text.ts";

/** Why an index should go. */
export type IndexFault = "invalid" | "duplicate" | "prefix" | "unused";

/** One such index. */
export interface IndexFinding {
  readonly index: IndexFacts;
  readonly fault: IndexFault;
  readonly reason: string;
  /** What mends it. */
  readonly sql: string;
}

/** What is known beyond the catalog. */
export interface Usage {
  /** How long statistics have been counted, the shortest of all servers. */
  readonly countedMs: number;
  /** Scans on each replica, by "schema.name" of the index; undefined = replicas there are, but they were not asked. */
  readonly replicaScans: readonly ReadonlyMap<string, number>[] | undefined;
}

const DAY_MS = 86_400_000;

/** A month's end has reports of its own: nothing is unused before it has been seen to be for 32 days. */
export const UNUSED_AGE_MS: number = 32 * DAY_MS;

/** The findings, those that cost most first. One index has one finding. */
export function existingIndexes({ indexes, foreignKeys }: Catalog, usage: Usage): readonly IndexFinding[] {
  const found = indexes.flatMap((index): IndexFinding[] => {
    // A DELETE on the other side may come once a year; without the index it reads the whole table for each row.
    const isOfKey = foreignKeys.some((key) => servesForeignKey(key, index));
    const finding =
      invalid(index) ?? duplicate(index, indexes) ?? (isOfKey ? undefined : unused(index, usage));
    return finding === undefined ? [] : [finding];
  });
  return found.toSorted((a, b) => b.index.bytes - a.index.bytes);
}

/** Why nobody can be told of unused indexes; undefined when one can. */
export function unusedUnknown({ countedMs, replicaScans }: Usage): string | undefined {
  if (replicaScans === undefined)
    return "there are replicas that were not asked: an index may be used by them alone";
  if (countedMs >= UNUSED_AGE_MS) return undefined;
  return `statistics are ${Math.floor(countedMs / DAY_MS)} days old: an index that a month's end needs is only known after 32`;
}

function invalid(index: IndexFacts): IndexFinding | undefined {
  if (index.isValid) return undefined;
  const reason = "CREATE INDEX CONCURRENTLY failed: it costs every write and serves no query";
  return {
    index,
    fault: "invalid",
    reason,
    sql: index.isConstraint ? `REINDEX INDEX CONCURRENTLY ${nameOf(index)}` : drop(index),
  };
}

function duplicate(index: IndexFacts, all: readonly IndexFacts[]): IndexFinding | undefined {
  if (isNeeded(index)) return undefined;
  for (const other of all) {
    if (other === index || !isAlike(index, other)) continue;
    if (isEqual(index, other) && isKeptOver(other, index))
      return { index, fault: "duplicate", reason: `${other.name} is the same`, sql: drop(index) };
    const begins =
      index.keys.length < other.keys.length && index.keys.every((key, at) => other.keys[at] === key);
    const serves = index.method === "btree" && begins && index.included.length === 0;
    if (serves && !index.isUnique)
      return { index, fault: "prefix", reason: `${other.name} begins with its columns`, sql: drop(index) };
  }
  return undefined;
}

/** The same table, method and rows. */
function isAlike(a: IndexFacts, b: IndexFacts): boolean {
  const isSameTable = a.schema === b.schema && a.table === b.table;
  return isSameTable && b.isValid && a.method === b.method && a.predicate === b.predicate;
}

function isEqual(a: IndexFacts, b: IndexFacts): boolean {
  const isSameRule = !a.isUnique || !b.isUnique || a.equalsNulls === b.equalsNulls;
  return isSameRule && String(a.keys) === String(b.keys) && String(a.included) === String(b.included);
}

/** Of two that are the same, the one that must be unique stays, then the older name. */
function isKeptOver(other: IndexFacts, index: IndexFacts): boolean {
  if (other.isUnique !== index.isUnique) return other.isUnique;
  return isNeeded(other) || other.name < index.name;
}

/** Something else than queries needs it. */
function isNeeded(index: IndexFacts): boolean {
  return (
    index.isPrimary || index.isConstraint || index.isReplicaIdentity || index.isClustered || index.isPartition
  );
}

function unused(index: IndexFacts, usage: Usage): IndexFinding | undefined {
  if (index.scans > 0 || index.isUnique || isNeeded(index) || unusedUnknown(usage) !== undefined)
    return undefined;
  const key = `${index.schema}.${index.name}`;
  if (usage.replicaScans?.some((scans) => (scans.get(key) ?? 0) > 0) === true) return undefined;
  const days = Math.floor(usage.countedMs / DAY_MS);
  const where = usage.replicaScans?.length === 0 ? "" : ", on no server";
  return { index, fault: "unused", reason: `no scan in ${days} days${where}`, sql: drop(index) };
}

function drop(index: IndexFacts): string {
  return `DROP INDEX CONCURRENTLY ${nameOf(index)}`;
}

function nameOf({ schema, name }: IndexFacts): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}
