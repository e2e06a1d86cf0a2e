import { expect, test } from "bun:test";
import {
  type Directives,
  DURATION_MAX_S,
  noDirectives,
  parseAge,
  parseCacheControl,
  requestDirectives,
} from "./cache-control.ts";

test.each<[string, Partial<Directives>]>([
  ["max-age=3600", { maxAgeS: 3600 }],
  ["MaX-aGe=3600", { maxAgeS: 3600 }],
  ['max-age="3600"', { maxAgeS: 3600 }],
  ["max-age=003600", { maxAgeS: 3600 }],
  ["max-age=1, s-maxage=2", { maxAgeS: 1, sMaxageS: 2 }],
  ["foobar, foo=bar, max-age=1", { maxAgeS: 1 }],
  ["max-age=99999999999", { maxAgeS: DURATION_MAX_S }],
  ["No-StOrE", { noStore: true }],
  ["public,private", { isPublic: true, isPrivate: true }],
  ["max-stale", { maxStaleS: Number.POSITIVE_INFINITY }],
  ["max-stale=10, min-fresh=5", { maxStaleS: 10, minFreshS: 5 }],
  ["stale-while-revalidate=5, stale-if-error=6", { staleWhileRevalidateS: 5, staleIfErrorS: 6 }],
  [
    "must-revalidate, immutable, must-understand",
    { mustRevalidate: true, immutable: true, mustUnderstand: true },
  ],
  ['no-cache="A, b", private="C"', { fields: ["a", "b", "c"] }],
  ["no-cache=a", { noCache: true }],
  ['no-cache=""', { noCache: true }],
  ['no-cache, no-cache="a"', { noCache: true, fields: ["a"] }],
  ["", {}],
])("%j is read", (value, directives) => {
  expect(parseCacheControl(value)).toEqual({ ...noDirectives(), ...directives });
});

test.each(["-3600", "3600.0", "3600.5", "a3600", "3600a", "'3600'", "", '""', '"a"'])(
  "a lifetime of %s is none at all",
  (argument) => {
    expect(parseCacheControl(`max-age=${argument}`).maxAgeS).toBe(0);
  },
);

test("of two lifetimes the first counts", () => {
  expect(parseCacheControl("max-age=1800, max-age=1").maxAgeS).toBe(1800);
  expect(parseCacheControl("max-age=1, max-age=1800").maxAgeS).toBe(1);
});

test.each(["max-age =3600", "max-age= 3600", "max-age"])("%j is no lifetime that lasts", (value) => {
  expect(parseCacheControl(value).maxAgeS ?? 0).toBe(0);
});

test("what stands in quotes is no directive", () => {
  expect(parseCacheControl('extension="max-age=3600", max-age=1').maxAgeS).toBe(1);
  expect(parseCacheControl('max-age=1, extension="a, no-store"').noStore).toBe(false);
});

test.each([
  ["no-store; max-age=3600", "noStore", 0],
  ["max-age=3600; private", "isPrivate", 0],
  ["no-cache no-transform", "noCache", undefined],
  ['a="b, no-store', "noStore", undefined],
] as const)("a broken %j still forbids, and a lifetime in it is none", (value, flag, maxAgeS) => {
  expect(parseCacheControl(value)).toMatchObject({ [flag]: true, maxAgeS });
});

test.each([
  [undefined, 0],
  ["", 0],
  ["30", 30],
  ["2147483649", DURATION_MAX_S],
  ["99999999999", DURATION_MAX_S],
  ["abc", 0],
  ["-7200", 0],
  ["7200.0", 0],
  ["7200, 0", 7200],
  ["0, 7200", 0],
  ["3600, 3600", 3600],
  ["7200;foo=bar", 0],
])("an Age of %j is %d seconds", (value, seconds) => {
  expect(parseAge(value)).toBe(seconds);
});

test.each([
  [{ pragma: "no-cache" }, true],
  [{ pragma: "foo, No-Cache" }, true],
  [{ pragma: "unknown" }, false],
  [{ pragma: "no-cache", "cache-control": "max-age=60" }, false],
  [{}, false],
] as const)("in a request with %j no-cache is %p", (fields: Readonly<Record<string, string>>, noCache) => {
  expect(requestDirectives((name) => fields[name]).noCache).toBe(noCache);
});
