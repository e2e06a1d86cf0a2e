import { beforeAll, describe, expect, test } from "bun:test";
import { loadModule, parseSync } from "libpg-query";
import type { Catalog, ColumnFacts, TableFacts } from "./catalog.ts";
import { createIndexSql, indexCandidates } from "./index-candidates.ts";
import { withSamples } from "./sample-values.ts";
import { withCasts } from "./sql-text.ts";
import { statementNeeds } from "./statement-needs.ts";

beforeAll(() => loadModule());

function column(name: string, distinct: number, nullFraction = 0): ColumnFacts {
  const values = { bounds: ["1", "5", "9"], common: [], correlation: 0 };
  return { name, type: "text", notNull: false, hasStatistics: true, nullFraction, distinct, ...values };
}

const TABLE: TableFacts = {
  schema: "public",
  name: "orders",
  kind: "r",
  isPartition: false,
  rows: 100_000,
  heapBytes: 10_000_000,
  totalBytes: 12_000_000,
  sequentialScans: 0,
  sequentialRows: 0,
  deadRows: 0,
  liveRows: 100_000,
  hasPrimaryKey: true,
  columns: [
    column("customer", 5000),
    column("state", 4),
    column("made", -1),
    column("email", -1),
    column("sent", 90, 0.01),
  ],
};
const CATALOG: Catalog = { tables: [TABLE], indexes: [], foreignKeys: [] };

const treeOf = (text: string): unknown => parseSync(text).stmts?.[0]?.stmt;

function indexesFor(...texts: string[]): string[] {
  const statements = texts.map((text, at) => ({
    id: String(at),
    needs: statementNeeds(treeOf(text), CATALOG),
  }));
  return indexCandidates(statements, CATALOG).map(
    (each) => createIndexSql(each, false).split(" ON ")[1] ?? "",
  );
}

describe("a statement asks for", () => {
  test.each([
    ["select * from orders where state = $1 and customer = $2", "(customer, state)"],
    ["select * from orders o where o.customer = $1 and o.made > $2", "(customer, made)"],
    ["select * from orders where customer = $1 order by made desc limit 10", "(customer, made)"],
    ["select * from orders where lower(email) = $1", "(lower(email))"],
    ["select * from orders where sent is null", "(sent) WHERE sent IS NULL"],
    ["delete from orders where made < $1", "(made)"],
  ])("%s", (text, keys) => expect(indexesFor(text)).toEqual([`public.orders ${keys}`]));

  test.each([
    "select * from orders where state = $1",
    "select * from orders where state = $1 or customer = $2",
    "select * from orders",
  ])("nothing: %s", (text) => expect(indexesFor(text)).toEqual([]));

  test("one index with another whose columns begin with its own", () => {
    const texts = [
      "select 1 from orders where customer = $1",
      "select 1 from orders where customer = $1 and made > $2",
    ];
    expect(indexesFor(...texts)).toEqual(["public.orders (customer, made)"]);
  });
});

test("what statistics write of typed constants is read all the same", () => {
  expect(withCasts("a > timestamp with time zone $1 and b < DATE  $12 and c = date($3)")).toBe(
    "a > $1::timestamp with time zone and b < $12::DATE and c = date($3)",
  );
});

test("parameters become values of their columns; one that has none is named", () => {
  const sampled = (text: string): unknown =>
    withSamples(text, treeOf(text), statementNeeds(treeOf(text), CATALOG));
  expect(sampled("select 'é' from orders where customer = $1 limit $2")).toEqual({
    sql: "select 'é' from orders where customer = '5' limit 20",
  });
  expect(sampled("select $1 from orders")).toEqual({ missing: 1 });
  const retention = withCasts("delete from orders where made < now() - interval $1");
  expect(sampled(retention)).toEqual({
    sql: "delete from orders where made < now() - (now() - '1'::timestamptz)::interval",
  });
});
