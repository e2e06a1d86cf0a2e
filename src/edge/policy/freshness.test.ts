import { expect, test } from "bun:test";
import type { LifetimeSource } from "./freshness.ts";
import { storability } from "./storability.ts";
import { ageMs, ageSeconds, freshForMs } from "./stored-meta.ts";
import { date, exchange, type FieldMap, judge, policyWith, response, SECOND, stored, T0 } from "./testing.ts";

const DAY = 86_400;

test.each<[FieldMap, LifetimeSource, number]>([
  [{ "Cache-Control": "max-age=3600" }, "max-age", 3600],
  [{ "Cache-Control": "s-maxage=3600" }, "s-maxage", 3600],
  [{ "Cache-Control": "max-age=3600, s-maxage=1" }, "s-maxage", 1],
  [{ "Cache-Control": ["max-age=1", "s-maxage=3600"] }, "s-maxage", 3600],
  [{ "Cache-Control": "max-age=0, s-maxage=9", Expires: date(-10) }, "s-maxage", 9],
  [{ "Cache-Control": "max-age=2147483647" }, "max-age", 2_147_483_647],
  [{ "Cache-Control": "max-age=99999999999" }, "max-age", 2_147_483_648],
  [{ "Cache-Control": "max-age=3600", Expires: date(-7200), Date: date(0) }, "max-age", 3600],
  [{ "Cache-Control": "max-age=3600", Expires: "0", Date: date(0) }, "max-age", 3600],
  [{ Expires: date(30 * DAY), Date: date(0) }, "expires", 30 * DAY],
  [{ Expires: date(10), Date: "foo" }, "expires", 10],
  [{ Expires: date(20), Date: date(10) }, "expires", 10],
  [{ "Last-Modified": date(-DAY), Date: date(0) }, "heuristic", DAY / 10],
  [{ "Last-Modified": date(-900 * DAY) }, "heuristic", DAY],
])("%j lives by its %s for %d seconds", (fields, source, seconds) => {
  expect(judge(fields)).toMatchObject({ kind: "store", source, meta: { lifetimeMs: seconds * SECOND } });
});

test.each<FieldMap>([
  { Expires: date(-30 * DAY), Date: date(0) },
  { Expires: date(0), Date: date(0) },
  { Expires: date(300), Date: date(400) },
  { Expires: "0", Date: date(0) },
  { Expires: "Thu, 18 Aug 2050 02:01:18 UTC" },
  { Expires: ["Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18 Aug 2050 2:01:19 GMT"] },
  { "Cache-Control": "max-age=0", Expires: date(3600), Date: date(0) },
  { "Cache-Control": "max-age=-3600" },
  { "Cache-Control": "max-age=3600, s-maxage=x" },
])("%j is stale from the start", (fields) => {
  expect(judge(fields)).toEqual({ kind: "no", reason: "already-stale" });
  expect(stored({ ...fields, ETag: '"a"' }).lifetimeMs).toBe(0);
});

test("nothing is guessed for a response with Pragma: no-cache, nor when the rule does not guess", () => {
  const fields = { "Last-Modified": date(-DAY), Date: date(0) };
  expect(stored({ ...fields, Pragma: "no-cache" }).lifetimeMs).toBe(0);
  expect(stored(fields, 200, { heuristic: false }).lifetimeMs).toBe(0);
  expect(stored({ "Last-Modified": date(10), Date: date(0) }).lifetimeMs).toBe(0);
});

test.each(
  [
    [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map((status) => [status, "store"]),
    [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599].map((status) => [status, "no"]),
  ].flat(),
)("a %d whose lifetime has to be guessed: %s", (status, kind) => {
  expect(judge({ "Last-Modified": date(-DAY), Date: date(0) }, Number(status)).kind).toBe(kind as "store");
});

test("public lets any status have a guessed lifetime", () => {
  const fields = { "Last-Modified": date(-DAY), Date: date(0), "Cache-Control": "public" };
  expect(stored(fields, 599).lifetimeMs).toBe(DAY * 100);
});

test("the rule's lifetimes: an override beats directives, a negative or default one fills in", () => {
  const rule = { ttlMs: { 200: 7 }, negativeTtlMs: { 404: 8, 500: 9 }, defaultTtlMs: 10 };
  expect(stored({ "Cache-Control": "max-age=60" }, 200, rule).lifetimeMs).toBe(7);
  expect(stored({}, 404, rule).lifetimeMs).toBe(8);
  expect(stored({ "Cache-Control": "max-age=60" }, 404, rule).lifetimeMs).toBe(60_000);
  expect(stored({}, 500, rule).lifetimeMs).toBe(9);
  expect(stored({}, 301, rule).lifetimeMs).toBe(10);
  expect(judge({}, 302, rule)).toEqual({ kind: "no", reason: "no-freshness" });
  expect(judge({ "Cache-Control": "no-store" }, 200, rule)).toEqual({ kind: "no", reason: "no-store" });
});

test.each<[FieldMap, number]>([
  [{}, 0],
  [{ Date: date(0) }, 0],
  [{ Date: date(-7) }, 7],
  [{ Date: date(10) }, 0],
  [{ Age: "30" }, 30],
  [{ Age: "30", Date: date(-10) }, 30],
  [{ Age: "10", Date: date(-30) }, 30],
  [{ Age: ["7", "0"] }, 7],
])("a response with %j is %d seconds old when it comes", (fields, seconds) => {
  const meta = stored({ "Cache-Control": "max-age=3600", ...fields });
  expect(meta.initialAgeMs).toBe(seconds * SECOND);
});

test("the time that the upstream took counts as age on top of Age", () => {
  const slow = {
    ...exchange(response({ "Cache-Control": "max-age=60", Age: "5" })),
    requestWallMs: T0 - 3000,
  };
  expect(storability(slow, policyWith({}))).toMatchObject({ meta: { initialAgeMs: 8000 } });
});

test("a response grows older in the store, and a clock that steps back makes it no younger", () => {
  const meta = stored({ "Cache-Control": "max-age=60", Age: "30" });
  expect(ageMs(meta, T0 + 2500)).toBe(32_500);
  expect(ageSeconds(meta, T0 + 2500)).toBe(32);
  expect(freshForMs(meta, T0 + 2500)).toBe(27_500);
  expect(ageMs(meta, T0 - 99_999)).toBe(30_000);
});
