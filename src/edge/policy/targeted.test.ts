import { expect, test } from "bun:test";
import { date, type FieldMap, judge, SECOND } from "./testing.ts";

const outcome = (fields: FieldMap): number | string => {
  const verdict = judge(fields);
  return verdict.kind === "store" ? verdict.meta.lifetimeMs / SECOND : verdict.reason;
};

test.each<[FieldMap, number | string]>([
  [{ "CDN-Cache-Control": "max-age=3600" }, 3600],
  [{ "CDN-Cache-Control": "max-age=2147483648" }, 2_147_483_648],
  [{ "CDN-Cache-Control": "max-age=99999999999" }, 2_147_483_648],
  [{ "CDN-Cache-Control": "max-age=0", Expires: date(10_000) }, "already-stale"],
  [{ "CDN-Cache-Control": "max-age=-1" }, "already-stale"],
  [{ "CDN-Cache-Control": "max-age=3600", Age: "7200" }, "already-stale"],
  [{ "CDN-Cache-Control": "foobar, max-age=3600" }, 3600],
  [{ "CDN-Cache-Control": "foo=(a b), max-age=3600;x=1" }, 3600],
  [{ "CDN-Cache-Control": "max-age=3600", Expires: date(-10_000) }, 3600],
  [{ "CDN-Cache-Control": "max-age=3600", Expires: "0" }, 3600],
  [{ "CDN-Cache-Control": "max-age=3600", "Cache-Control": "max-age=1" }, 3600],
  [{ "CDN-Cache-Control": "max-age=1", "Cache-Control": "max-age=3600" }, 1],
  [{ "CDN-Cache-Control": "max-age=10000", "Cache-Control": "no-store" }, 10_000],
  [{ "CDN-Cache-Control": "private", "Cache-Control": "max-age=10000" }, "private"],
  [{ "CDN-Cache-Control": "no-cache", "Cache-Control": "max-age=10000", Expires: date(9) }, "no-freshness"],
  [{ "CDN-Cache-Control": "no-store", "Cache-Control": "max-age=10000" }, "no-store"],
  [{ "CDN-Cache-Control": "private=?0, max-age=5" }, 5],
  [{ "CDN-Cache-Control": 'private="a", max-age=5' }, 5],
  [{ "CDN-Cache-Control": ["max-age=5", "s-maxage=7"] }, 7],
])("%j counts instead of Cache-Control and Expires: %p", (fields, expected) => {
  expect(outcome(fields)).toBe(expected);
});

test.each([
  "max-age=10000, &&&&&",
  'max-age="10000"',
  "max-age=1.5",
  "max-age",
  "MaX-aGe=9",
  "max-age =9",
  "",
  "no-store=1",
])("a targeted field %j is as good as absent", (value) => {
  expect(outcome({ "CDN-Cache-Control": value, "Cache-Control": "max-age=60" })).toBe(60);
});

test("our own targeted field counts before that of all CDNs", () => {
  const both = { "CDN-Cache-Control": "max-age=1", "Tenfold-CDN-Cache-Control": "max-age=2" };
  expect(outcome(both)).toBe(2);
  expect(outcome({ ...both, "Tenfold-CDN-Cache-Control": "!" })).toBe(1);
});
