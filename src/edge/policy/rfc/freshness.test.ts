import { expect, test } from "bun:test";
import { initialAgeMs, type LifetimeSource, lifetimeOf } from "../freshness.ts";
import type { CachePolicy } from "../policy.ts";
import { controlOf } from "../targeted.ts";
import { dateAt, exchangeOf, NOW_MS, policyWith, responseWith, type TestFields } from "./testing.ts";

const DAY_S = 86_400;

type Row = readonly [fields: TestFields, seconds: number, source: LifetimeSource];

function expectLifetime(
  fields: TestFields,
  changes: Partial<CachePolicy>,
  status = 200,
): ReturnType<typeof expect> {
  const policy = policyWith(changes);
  const response = responseWith(fields, status);
  const { ms, source } = lifetimeOf(response, controlOf(response, policy.targetedFields), policy, NOW_MS);
  return expect([ms / 1000, source]);
}

test.each<Row>([
  [{ "cache-control": "s-maxage=1, max-age=2", expires: dateAt(3) }, 1, "s-maxage"],
  [{ "cache-control": "max-age=2", expires: dateAt(3) }, 2, "max-age"],
  [{ "cache-control": "max-age=x", expires: dateAt(3) }, 0, "max-age"],
  [{ "cache-control": "public", expires: dateAt(3) }, 3, "expires"],
  [{ "cdn-cache-control": "max-age=1", "cache-control": "s-maxage=2" }, 1, "max-age"],
  [{ "cdn-cache-control": "public", "cache-control": "max-age=2", expires: dateAt(3) }, 0, "none"],
  [{ "last-modified": dateAt(-100) }, 10, "heuristic"],
])("of %j the lifetime is %d from %s (§4.2.1)", (fields, seconds, source) => {
  expectLifetime(fields, {}).toEqual([seconds, source]);
});

test.each<Row>([
  [{ expires: dateAt(60), date: dateAt(-10) }, 70, "expires"],
  [{ expires: dateAt(60), date: "today" }, 60, "expires"],
  [{ expires: dateAt(-60) }, 0, "expires"],
  [{ expires: "" }, 0, "expires"],
  [{ expires: `${dateAt(60)}, ${dateAt(60)}` }, 0, "expires"],
  [{ expires: "0", "last-modified": dateAt(-1000) }, 0, "expires"],
])("Expires counts from Date, and is past when it is no date: %j (§5.3)", (fields, seconds, source) => {
  expectLifetime(fields, {}).toEqual([seconds, source]);
});

test.each<Row>([
  [{ "last-modified": dateAt(-100), date: dateAt(-50) }, 5, "heuristic"],
  [{ "last-modified": dateAt(-100 * DAY_S) }, DAY_S, "heuristic"],
  [{ "last-modified": dateAt(0) }, 0, "none"],
  [{ "last-modified": dateAt(100) }, 0, "none"],
  [{ "last-modified": "long ago" }, 0, "none"],
  [{ "last-modified": dateAt(-100), pragma: "no-cache" }, 0, "none"],
])("a tenth of the time since the last change, a day at most: %j (§4.2.2)", (fields, seconds, source) => {
  expectLifetime(fields, {}).toEqual([seconds, source]);
});

const OLD: TestFields = { "last-modified": dateAt(-100) };

test.each<readonly [changes: Partial<CachePolicy>, status: number, seconds: number, source: LifetimeSource]>([
  [{ heuristic: false }, 200, 0, "none"],
  [{ heuristic: false, defaultTtlMs: 7000 }, 200, 7, "default"],
  [{ defaultTtlMs: 7000 }, 200, 10, "heuristic"],
  [{ heuristicMaxMs: 3000 }, 200, 3, "heuristic"],
  [{ defaultTtlMs: 7000 }, 500, 0, "none"],
  [{ negativeTtlMs: { 500: 4000 } }, 500, 4, "negative"],
  [{ negativeTtlMs: { 404: 4000 } }, 404, 4, "negative"],
  [{ ttlMs: { 200: 5000 }, negativeTtlMs: { 200: 4000 } }, 200, 5, "override"],
  [{ ttlMs: { 200: 0 } }, 200, 0, "override"],
])("a rule with %j gives %d that says nothing %d seconds from %s", (changes, status, seconds, source) => {
  expectLifetime(OLD, changes, status).toEqual([seconds, source]);
});

test("what a response says counts more than a rule for those that say nothing, and less than an override", () => {
  const said = { "cache-control": "max-age=9" };
  expectLifetime(said, { negativeTtlMs: { 404: 4000 }, defaultTtlMs: 1 }, 404).toEqual([9, "max-age"]);
  expectLifetime(said, { ttlMs: { 404: 4000 } }, 404).toEqual([4, "override"]);
});

test.each<readonly [fields: TestFields, delayS: number, ageS: number]>([
  [{ date: dateAt(0) }, 0, 0],
  [{}, 5, 5],
  [{ date: dateAt(-10) }, 0, 10],
  [{ date: dateAt(10) }, 0, 0],
  [{ age: "20", date: dateAt(-10) }, 3, 23],
  [{ age: "20", date: dateAt(-30) }, 3, 30],
  [{ age: "-20" }, 0, 0],
  [{ date: "today", age: "7" }, 0, 7],
  [{ age: "20" }, -60, 20],
])("%j that took %d seconds is %d seconds old (§4.2.3)", (fields, delayS, ageS) => {
  const requestWallMs = NOW_MS - delayS * 1000;
  expect(initialAgeMs(exchangeOf(responseWith(fields), { requestWallMs }))).toBe(ageS * 1000);
});
