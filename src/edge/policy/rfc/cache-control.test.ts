import { expect, test } from "bun:test";
import {
  type Directives,
  DURATION_MAX_S,
  isPragmaNoCache,
  noDirectives,
  parseAge,
  parseCacheControl,
  requestDirectives,
} from "../cache-control.ts";
import { requestWith } from "./testing.ts";

type Row = readonly [value: string, said: Partial<Directives>];

function expectDirectives(value: string, said: Partial<Directives>): void {
  expect(parseCacheControl(value)).toEqual({ ...noDirectives(), ...said });
}

test.each<Row>([
  ["no-cache", { noCache: true }],
  ["private", { isPrivate: true }],
  ["public", { isPublic: true }],
  ["must-revalidate", { mustRevalidate: true }],
  ["proxy-revalidate", { proxyRevalidate: true }],
  ["must-understand, no-store", { mustUnderstand: true, noStore: true }],
  ["immutable", { immutable: true }],
  ["only-if-cached", { onlyIfCached: true }],
  ["max-age=60", { maxAgeS: 60 }],
  ["s-maxage=60", { sMaxageS: 60 }],
  ["stale-while-revalidate=60", { staleWhileRevalidateS: 60 }],
  ["stale-if-error=60", { staleIfErrorS: 60 }],
  ["min-fresh=60", { minFreshS: 60 }],
  ["max-stale=60", { maxStaleS: 60 }],
  ["public, max-age=60 ,must-revalidate", { isPublic: true, maxAgeS: 60, mustRevalidate: true }],
])("%j is read as it stands (§5.2, RFC 5861, RFC 8246)", expectDirectives);

test.each<Row>([
  ["no-store=1", { noStore: true }],
  ['no-store="x"', { noStore: true }],
  [",, no-store ,", { noStore: true }],
])("%j is read in any case, token or quoted (§5.2)", expectDirectives);

test.each<Row>([
  ['private="Set-Cookie"', { fields: ["set-cookie"] }],
  ['private="a", private', { fields: ["a"], isPrivate: true }],
  ['private=""', { isPrivate: true }],
  ['no-cache=" , "', { noCache: true }],
  ["private=set-cookie", { isPrivate: true }],
])("%j names fields only in quotes (§5.2.2.4, §5.2.2.7)", expectDirectives);

test.each<Row>([
  ["max-age=x, max-age=100", { maxAgeS: 0 }],
  [`max-age=${DURATION_MAX_S + 1}`, { maxAgeS: DURATION_MAX_S }],
  [`max-age=${"9".repeat(400)}`, { maxAgeS: DURATION_MAX_S }],
])("of %j the first lifetime counts, up to 68 years (§1.2.2, §4.2.1)", expectDirectives);

test.each(["-1", "1e3", "0x10", "+5", " 5", '"5 "', '" 5"', "5 6", "5;a"])(
  "a lifetime of %j is none (§4.2.1)",
  (text) => {
    expect(parseCacheControl(`max-age=${text}`).maxAgeS ?? 0).toBe(0);
    expect(parseCacheControl(`s-maxage=${text}`).sMaxageS ?? 0).toBe(0);
  },
);

test.each<Row>([
  ["no-store; max-age=60", { noStore: true, maxAgeS: 0 }],
  ["max-age=0; foo", { maxAgeS: 0 }],
  ["max-age =60", { maxAgeS: 0 }],
  ["max-age= 60, s-maxage=5", { maxAgeS: 0, sMaxageS: 5 }],
  ['private="a', { isPrivate: true }],
  ['x="a, no-store', { noStore: true }],
  ["must-understand; x, no-store", { noStore: true }],
  ["public; x", {}],
  ["max-stale; x", { maxStaleS: 0 }],
])("of the broken %j only what forbids is taken", expectDirectives);

test.each<Row>([
  ['foo, bar=1, baz="no-store, max-age=9"', {}],
  ["no-storeX, xmax-age=1", {}],
  ["constructor, __proto__, toString=5", {}],
  ["max-age=5, constructor=6", { maxAgeS: 5 }],
])("unknown directives in %j are ignored (§5.2.3)", expectDirectives);

test("an absent field has no directives", () => {
  expect(parseCacheControl(undefined)).toEqual(noDirectives());
});

test.each([
  [{ pragma: "no-cache" }, true],
  [{ pragma: "x, No-Cache" }, true],
  [{ pragma: "no-cache=1" }, false],
  [{ pragma: "x", "cache-control": "no-cache" }, true],
])("Pragma counts in a request without Cache-Control: %j (§5.4)", (fields, noCache) => {
  const request = requestWith(fields);
  expect(requestDirectives((name) => request.field(name)).noCache).toBe(noCache);
});

test("Pragma in a response is read like that of a request", () => {
  expect(isPragmaNoCache(undefined)).toBe(false);
  expect(isPragmaNoCache("NO-CACHE")).toBe(true);
});

test.each([
  ["0060", 60],
  ['"60"', 0],
  ["9".repeat(40), DURATION_MAX_S],
])("Age %j is %d seconds (§5.1)", (value, seconds) => {
  expect(parseAge(value)).toBe(seconds);
});
