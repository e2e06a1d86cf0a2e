import { beforeAll, describe, expect, test } from "bun:test";
import { Statements } from "../statement/statements.ts";
import { parseCatalog } from "./catalog.ts";
import { type Resolution, type Rules, resolve } from "./resolve.ts";

const statements = new Statements();
beforeAll(() => statements.load());

const table = (
  oid: number,
  name: string,
  kind = "r",
  flags: [boolean, boolean] = [false, false],
): unknown[] => [
  String(oid),
  name.includes(".") ? name.split(".")[0] : "public",
  name.split(".").at(-1),
  kind,
  ...flags,
];

const CATALOG = parseCatalog(
  JSON.stringify({
    database: ["1", "app"],
    cluster: "7",
    session: ["me"],
    path: ["mine", "public"],
    relations: [
      table(1, "users"),
      table(2, "orders"),
      table(3, "lines"),
      table(4, "events", "p"),
      table(5, "events_1"),
      table(6, "events_2", "p"),
      table(7, "events_2a"),
      table(8, "busy", "v", [false, true]),
      table(9, "today", "v", [false, true]),
      table(10, "secret", "r", [true, false]),
      table(11, "far", "f"),
      table(12, "ids", "S"),
      table(13, "audited"),
      table(14, "ruled", "r", [false, true]),
      table(15, "mine.users"),
      table(16, "notes"),
      table(17, "busier", "v", [false, true]),
    ],
    views: [
      ["8", "SELECT users.id FROM public.users JOIN orders ON true"],
      ["9", "SELECT * FROM orders WHERE at > now()"],
      ["17", "SELECT * FROM busy, lines"],
    ],
    columns: "x",
    children: [
      ["4", "5"],
      ["4", "6"],
      ["6", "7"],
    ],
    references: [
      ["1", "2", true],
      ["2", "3", true],
      ["1", "16", false],
    ],
    triggers: ["13"],
    functions: [
      ["public", "total", false],
      ["public", "ship", true],
      ["mine", "upper", false],
    ],
    operators: ["<~>"],
  }),
);
const NO_RULES: Rules = { functions: {}, triggers: {} };

function resolved(text: string, rules: Partial<Rules> = {}): Resolution {
  return resolve(
    statements.of(text).facts,
    CATALOG,
    { ...NO_RULES, ...rules },
    (each) => statements.of(each).facts,
  );
}
const reads = (text: string, rules?: Partial<Rules>): readonly string[] =>
  resolved(text, rules).reads.slice(2);

describe("what a query depends on", () => {
  test("begins with all definitions and all tables", () => {
    expect(resolved("SELECT * FROM orders").reads).toEqual(["#schema", "*", "public.orders"]);
  });

  test.each([
    ["a name is looked for along the search path", "SELECT * FROM users", ["mine.users"]],
    ["a schema is taken at its word", "SELECT * FROM public.users", ["public.users"]],
    [
      "a table means its partitions too",
      "SELECT * FROM events",
      ["public.events", "public.events_1", "public.events_2", "public.events_2a"],
    ],
    ["a partition is one table", "SELECT * FROM events_1", ["public.events_1"]],
    ["a view means its tables", "SELECT * FROM busy", ["public.orders", "public.users"]],
    ["a view of views as well", "SELECT * FROM busier", ["public.lines", "public.orders", "public.users"]],
  ])("%s", (_, text, expected) => expect(reads(text)).toEqual(expected));
});

describe("what the catalog refuses", () => {
  test.each([
    ["SELECT * FROM nowhere", "relation-unknown"],
    ["SELECT * FROM pg_class", "system-catalog"],
    ["SELECT * FROM information_schema.tables", "system-catalog"],
    ["SELECT * FROM secret", "row-security"],
    ["SELECT * FROM far", "relation-kind"],
    ["SELECT * FROM ids", "relation-kind"],
    ["SELECT * FROM today", "function-unstable"],
    ["SELECT now() FROM orders", "function-unstable"],
    ["SELECT random() FROM orders", "function-unstable"],
    ["SELECT pg_sleep(1) FROM orders", "function-unstable"],
    ["SELECT total(id) FROM orders", "function-unknown"],
    ["SELECT nobodys(id) FROM orders", "function-unknown"],
    ["SELECT upper(name) FROM orders", "function-unknown"],
    ["SELECT orders.total FROM orders", "function-unknown"],
    ["SELECT (o).total FROM orders o", "function-unknown"],
    ["SELECT * FROM orders WHERE a <~> b", "operator-unknown"],
  ])("%s: %s", (text, reason) => expect(resolved(text)).toMatchObject({ refusal: reason, reads: [] }));

  test("a function of PostgreSQL's that is called by its full name is not yours", () => {
    expect(resolved("SELECT pg_catalog.upper(name) FROM orders").refusal).toBeUndefined();
  });

  test("a function that the options name is cached, and what it reads is depended on", () => {
    const functions = { total: { reads: ["lines"] } };
    expect(reads("SELECT total(id) FROM orders", { functions })).toEqual(["public.lines", "public.orders"]);
  });
});

describe("what a write changes", () => {
  test.each([
    ["INSERT INTO public.users VALUES (1)", ["public.users"]],
    ["UPDATE public.users SET id = 2", ["public.lines", "public.orders", "public.users"]],
    ["TRUNCATE public.users CASCADE", ["public.lines", "public.notes", "public.orders", "public.users"]],
    [
      "INSERT INTO events VALUES (1)",
      ["public.events", "public.events_1", "public.events_2", "public.events_2a"],
    ],
    ["UPDATE busy SET id = 1", ["public.lines", "public.orders", "public.users"]],
    ["DELETE FROM lines", ["public.lines"]],
    ["INSERT INTO audited VALUES (1)", ["*"]],
    ["INSERT INTO ruled VALUES (1)", ["*"]],
    ["INSERT INTO nowhere VALUES (1)", ["*"]],
    ["SELECT ship(1)", ["*"]],
    ["SELECT total(1)", []],
    ["SELECT orders.ship FROM orders", []],
    ["ALTER TABLE lines ADD x int", ["#schema", "*"]],
  ])("%s: %s", (text, expected) => expect([...resolved(text).writes].toSorted()).toEqual(expected));

  test("a trigger that the options name changes what they say", () => {
    const triggers = { audited: ["lines"] };
    expect(resolved("INSERT INTO audited VALUES (1)", { triggers }).writes).toEqual([
      "public.audited",
      "public.lines",
    ]);
  });

  test("a function that the options name changes what they say", () => {
    const functions = { ship: { writes: ["lines"] } };
    expect(resolved("SELECT ship(1)", { functions }).writes).toEqual(["public.lines"]);
  });
});
