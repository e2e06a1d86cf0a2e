import { describe, expect, test } from "bun:test";
import type { IndexFacts } from "./catalog.ts";
import { existingIndexes, UNUSED_AGE_MS, type Usage, unusedUnknown } from "./existing-indexes.ts";

/** A B-tree of `columns`, which has been used. */
function index(name: string, columns: readonly string[], more: Partial<IndexFacts> = {}): IndexFacts {
  return {
    schema: "public",
    table: "orders",
    name,
    method: "btree",
    keys: columns.map((column) => `${column} 1978 0 0`),
    columns,
    included: [],
    predicate: undefined,
    isUnique: false,
    equalsNulls: false,
    isPrimary: false,
    isConstraint: false,
    isReplicaIdentity: false,
    isClustered: false,
    isPartition: false,
    isValid: true,
    bytes: 8192,
    scans: 1,
    ...more,
  };
}

const OLD: Usage = { countedMs: UNUSED_AGE_MS, replicaScans: [] };

function findings(indexes: readonly IndexFacts[], usage: Usage = OLD): string[] {
  const found = existingIndexes({ tables: [], indexes, foreignKeys: [] }, usage);
  return found.map(({ fault, sql }) => `${fault}: ${sql}`);
}

describe("of two indexes", () => {
  test("the one that another begins with goes", () => {
    const [short, long] = [index("short", ["a"]), index("long", ["a", "b"])];
    expect(findings([short, long])).toEqual(["prefix: DROP INDEX CONCURRENTLY public.short"]);
    expect(findings([index("last", ["b"]), long])).toEqual([]);
  });

  test("that are the same one goes, never both, and never the one that is needed", () => {
    const [a, b] = [index("a", ["x"]), index("b", ["x"])];
    expect(findings([a, b])).toEqual(["duplicate: DROP INDEX CONCURRENTLY public.b"]);
    expect(findings([a, { ...b, isConstraint: true }])).toEqual([
      "duplicate: DROP INDEX CONCURRENTLY public.a",
    ]);
    expect(findings([a, { ...b, isUnique: true }])).toEqual(["duplicate: DROP INDEX CONCURRENTLY public.a"]);
    const needed = { isUnique: true, isConstraint: true };
    expect(
      findings([
        { ...a, ...needed },
        { ...b, ...needed },
      ]),
    ).toEqual([]);
  });

  test("a unique one, one with other columns in it, and one for other rows stay", () => {
    const long = index("long", ["a", "b"]);
    expect(findings([index("short", ["a"], { isUnique: true }), long])).toEqual([]);
    expect(findings([index("short", ["a"], { included: ["c"] }), long])).toEqual([]);
    expect(findings([index("short", ["a"], { predicate: "(sent IS NULL)" }), long])).toEqual([]);
    expect(findings([index("short", ["a"]), { ...long, predicate: "(sent IS NULL)" }])).toEqual([]);
    expect(findings([index("short", ["a"]), { ...long, method: "gist" }])).toEqual([]);
    expect(findings([index("short", ["a"]), { ...long, table: "others" }])).toEqual([]);
    expect(findings([index("short", ["a"]), { ...long, keys: ["a 1978 0 3", "b 1978 0 0"] }])).toEqual([]);
  });

  test("that are unique by different rules for NULL both stay", () => {
    const unique = (name: string, equalsNulls: boolean) =>
      index(name, ["x"], { isUnique: true, equalsNulls });
    expect(findings([unique("a", false), unique("b", true)])).toEqual([]);
    expect(findings([unique("a", true), unique("b", true)])).toHaveLength(1);
  });

  test("one of a partition stays: it goes with the table's", () => {
    const parts = { isPartition: true };
    expect(findings([index("a", ["x"], parts), index("b", ["x"], parts)])).toEqual([]);
  });
});

describe("an index that failed to be made", () => {
  test("goes, or is made again when a constraint needs it, and serves as no other's longer one", () => {
    const broken = index("Broken", ["a", "b"], { isValid: false });
    expect(findings([broken, index("short", ["a"])])).toEqual([
      'invalid: DROP INDEX CONCURRENTLY public."Broken"',
    ]);
    expect(findings([{ ...broken, isConstraint: true }])).toEqual([
      'invalid: REINDEX INDEX CONCURRENTLY public."Broken"',
    ]);
  });
});

describe("an index without scans", () => {
  const unused = index("unused", ["a"], { scans: 0 });
  const scans = (count: number): ReadonlyMap<string, number> => new Map([["public.unused", count]]);

  test("goes when no server has used it for long enough", () => {
    expect(findings([unused])).toEqual(["unused: DROP INDEX CONCURRENTLY public.unused"]);
    expect(findings([unused], { ...OLD, replicaScans: [new Map(), scans(0)] })).toHaveLength(1);
    expect(findings([unused], { ...OLD, replicaScans: [new Map(), scans(3)] })).toEqual([]);
  });

  test("stays while that is not known, and it is said why", () => {
    const young = { ...OLD, countedMs: UNUSED_AGE_MS - 1 };
    expect(findings([unused], young)).toEqual([]);
    expect(unusedUnknown(young)).toContain("31 days old");
    const unasked = { ...OLD, replicaScans: undefined };
    expect(findings([unused], unasked)).toEqual([]);
    expect(unusedUnknown(unasked)).toContain("replicas that were not asked");
    expect(unusedUnknown(OLD)).toBeUndefined();
  });

  test("stays when it keeps rows unique or something else needs it", () => {
    for (const need of ["isUnique", "isPrimary", "isConstraint", "isReplicaIdentity", "isClustered"] as const)
      expect(findings([{ ...unused, [need]: true }])).toEqual([]);
  });
});

test("an index that a foreign key needs is never called unused", () => {
  const key = { name: "k", schema: "public", table: "orders", columns: ["a", "b"], references: "others" };
  const found = (columns: readonly string[]): readonly unknown[] =>
    existingIndexes({ tables: [], indexes: [index("i", columns, { scans: 0 })], foreignKeys: [key] }, OLD);
  expect([found(["b", "a"]), found(["a", "b", "c"])]).toEqual([[], []]);
  expect([found(["a"]).length, found(["a", "c", "b"]).length]).toEqual([1, 1]);
});

test("what costs most comes first", () => {
  const small = index("small", ["a"], { scans: 0, bytes: 1 });
  const large = index("large", ["b"], { scans: 0, bytes: 2 });
  expect(findings([small, large]).map((text) => text.split(".")[1])).toEqual(["large", "small"]);
});
