import { describe, expect, test } from "bun:test";
import { keptIndexOf, parseTableName, quoteName, quoteText, wordOf } from "./names.ts";
import { PartitionProblem } from "./problem.ts";
import { createPart, type Period, partsOf } from "./scheme.ts";

const NAME = { schema: "shop", table: "events" };
const NOW = new Date("2026-03-31T23:59:59Z");

function bounds(every: Period, from: string, to: string): string[] {
  const seen = { from: new Date(from), to: new Date(to) };
  return partsOf(NAME, { kind: "range", column: "at", every }, seen, NOW).map(
    ({ name, bounds: written }) => `${name.table} ${written.replaceAll(" 00:00:00+00", "")}`,
  );
}

describe("partitions of ranges", () => {
  test("months go from the first row to three beyond today, and one takes the rest", () => {
    expect(bounds("month", "2025-12-31T10:00:00Z", "2026-02-01T00:00:00Z")).toEqual([
      "events_p2025_12 for values from ('2025-12-01') to ('2026-01-01')",
      "events_p2026_01 for values from ('2026-01-01') to ('2026-02-01')",
      "events_p2026_02 for values from ('2026-02-01') to ('2026-03-01')",
      "events_p2026_03 for values from ('2026-03-01') to ('2026-04-01')",
      "events_p2026_04 for values from ('2026-04-01') to ('2026-05-01')",
      "events_p2026_05 for values from ('2026-05-01') to ('2026-06-01')",
      "events_p2026_06 for values from ('2026-06-01') to ('2026-07-01')",
      "events_default default",
    ]);
  });

  test("weeks begin on Monday", () => {
    expect(bounds("week", "2026-03-29T10:00:00Z", "2026-03-29T10:00:00Z")[0]).toBe(
      "events_p2026_03_23 for values from ('2026-03-23') to ('2026-03-30')",
    );
  });

  test("rows beyond today have partitions, too", () => {
    expect(bounds("day", "2026-03-31T00:00:00Z", "2026-04-02T00:00:00Z").at(-2)).toBe(
      "events_p2026_04_05 for values from ('2026-04-05') to ('2026-04-06')",
    );
  });

  test("more than a thousand are refused", () => {
    expect(() => bounds("day", "1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z")).toThrow(PartitionProblem);
  });
});

test("a hash has as many partitions as were asked for", () => {
  const parts = partsOf(NAME, { kind: "hash", column: "id", parts: 2 }, undefined, NOW);
  expect(parts.map((part) => createPart(part, NAME, ["fillfactor=70"]))).toEqual([
    `create table "shop"."events_p0" partition of "shop"."events" for values with (modulus 2, remainder 0) with (fillfactor = '70')`,
    `create table "shop"."events_p1" partition of "shop"."events" for values with (modulus 2, remainder 1) with (fillfactor = '70')`,
  ]);
});

test("names are quoted, and cut where an ending has to fit", () => {
  expect(quoteName('a"b')).toBe('"a""b"');
  expect(quoteText("it's")).toBe("'it''s'");
  expect(parseTableName("shop.events")).toEqual(NAME);
  expect(parseTableName('shop."Order Items"')).toEqual({ schema: "shop", table: "Order Items" });
  expect(parseTableName("shop.Order Items")).toEqual({ schema: "shop", table: "Order Items" });
  expect(parseTableName('"a.""b"""')).toEqual({ schema: "public", table: 'a."b"' });
  expect(parseTableName(`Odd one.Or"der's`)).toEqual({ schema: "Odd one", table: `Or"der's` });
  for (const wrong of ["a.b.c", "", ".", "a.", ".a", "a..b", 'a."b".c'])
    expect([wrong, parseTableName(wrong)]).toEqual([wrong, undefined]);
  expect(wordOf({ schema: "public", table: "events" })).toBe("events");
  expect(wordOf({ schema: "it's", table: "a.b" })).toBe(`'it'\\''s."a.b"'`);
  expect(Buffer.byteLength(keptIndexOf("é".repeat(31)))).toBeLessThanOrEqual(63);
});
