import { expect, test } from "bun:test";
import { METHOD } from "../../../http/index.ts";
import type { Exchange } from "../message.ts";
import type { CachePolicy } from "../policy.ts";
import { type RefusalReason, type Storability, storability, withheldFields } from "../storability.ts";
import { FLAG } from "../stored-meta.ts";
import {
  dateAt,
  exchangeOf,
  NOW_MS,
  policyWith,
  requestWith,
  responseWith,
  type TestFields,
} from "./testing.ts";

const FRESH = { "cache-control": "max-age=60" };

function verdictOn(
  fields: TestFields,
  { status = 200, ...changes }: Partial<Exchange> & { readonly status?: number } = {},
  policy: Partial<CachePolicy> = {},
): Storability {
  return storability(exchangeOf(responseWith(fields, status), changes), policyWith(policy));
}

function said(verdict: Storability): string {
  return verdict.kind === "store" ? "store" : verdict.reason;
}

type Row = readonly [fields: TestFields, reason: RefusalReason | "store"];

test.each<Row>([
  [{ "cache-control": "no-store, max-age=60" }, "no-store"],
  [{ "cache-control": "max-age=60; no-store" }, "no-store"],
  [{ "cache-control": 'private="x-user", max-age=60' }, "store"],
  [{ ...FRESH, "set-cookie2": "a=b" }, "set-cookie"],
  [{ ...FRESH, vary: "Accept, *" }, "vary-star"],
  [{ ...FRESH, vary: Array.from({ length: 16 }, (_, i) => `x-${i}`).join() }, "store"],
  [{ ...FRESH, vary: Array.from({ length: 17 }, (_, i) => `x-${i}`).join() }, "vary-too-long"],
  [{ etag: '"a"' }, "store"],
  [{ "last-modified": dateAt(-100) }, "store"],
  [{ "last-modified": "never" }, "store"],
  [{ "cache-control": "no-cache, max-age=60", etag: '"a"' }, "store"],
  [{ ...FRESH, age: "60" }, "already-stale"],
  [{ ...FRESH, age: "59" }, "store"],
  [{ ...FRESH, age: "60", etag: '"a"' }, "store"],
  [{ "cache-control": "max-age=60, stale-while-revalidate=9", age: "60" }, "store"],
  [{ "cache-control": "max-age=60, stale-if-error=9", age: "69" }, "already-stale"],
  [{ expires: "0" }, "already-stale"],
])("a response with %j: %s (§3)", (fields, reason) => {
  expect(said(verdictOn(fields))).toBe(reason);
});

test.each<readonly [status: number, fields: TestFields, reason: RefusalReason | "store"]>([
  [100, FRESH, "status-not-cacheable"],
  [302, FRESH, "store"],
  [302, { etag: '"a"' }, "no-freshness"],
  [302, { etag: '"a"', "cache-control": "public" }, "store"],
  [404, { etag: '"a"' }, "store"],
  [599, FRESH, "store"],
  [599, { "cache-control": "max-age=60, must-understand" }, "must-understand"],
  [599, { "cache-control": "max-age=60, must-understand, no-store" }, "must-understand"],
  [200, { "cache-control": "max-age=60, must-understand, no-store" }, "store"],
  [200, { "cache-control": "max-age=60, must-understand, private" }, "private"],
  [206, { "cache-control": "max-age=60, must-understand" }, "partial"],
])("%d with %j: %s (§3, §5.2.2.3)", (status, fields, reason) => {
  expect(said(verdictOn(fields, { status }))).toBe(reason);
});

test.each<readonly [request: TestFields, cacheControl: string, reason: RefusalReason | "store"]>([
  [{ "cache-control": "no-store" }, "max-age=60", "request-no-store"],
  [{ "cache-control": "no-cache" }, "max-age=60", "store"],
  [{ pragma: "no-cache" }, "max-age=60", "store"],
  [{ authorization: "x" }, "max-age=60, proxy-revalidate", "authorization"],
  [{ authorization: "x" }, "public, private, max-age=60", "private"],
])("to a request with %j, %j: %s (§3.5, §5.2.1.5)", (request, cacheControl, reason) => {
  const verdict = verdictOn({ "cache-control": cacheControl }, { request: requestWith(request) });
  expect(said(verdict)).toBe(reason);
});

test.each<readonly [method: keyof typeof METHOD, fields: TestFields, reason: RefusalReason | "store"]>([
  ["put", { ...FRESH, "content-location": "/a" }, "method"],
  ["post", { ...FRESH, "content-location": "/b" }, "method"],
  ["post", { ...FRESH, "content-location": "/a" }, "store"],
  ["post", { expires: dateAt(9), "content-location": "/a" }, "store"],
  ["post", { "last-modified": dateAt(-100), "content-location": "/a" }, "method"],
])("the answer to %s with %j: %s (RFC 9110 §9.3.3)", (method, fields, reason) => {
  const request = requestWith({}, { method: METHOD[method], target: "/a" });
  expect(said(verdictOn(fields, { request }))).toBe(reason);
});

test.each<readonly [policy: Partial<CachePolicy>, fields: TestFields, reason: RefusalReason | "store"]>([
  [{}, { "cache-control": 'max-age=60, private="set-cookie"', "set-cookie": "a" }, "store"],
  [{}, { "cache-control": 'max-age=60, no-cache="Set-Cookie"', "set-cookie": "a" }, "store"],
  [{}, { "cache-control": 'max-age=60, private="set-cookie"', "set-cookie2": "a" }, "set-cookie"],
  [{ allowSetCookie: true }, { "cache-control": "no-store", "set-cookie": "a=b" }, "no-store"],
  [{ ttlMs: { 200: 1000 } }, {}, "store"],
  [{ ttlMs: { 200: 1000 } }, { "cache-control": "no-store" }, "no-store"],
  [{ ttlMs: { 200: 1000 } }, { "cache-control": "private" }, "private"],
  [{ negativeTtlMs: { 200: 1000 } }, {}, "store"],
  [{ defaultTtlMs: 1000 }, {}, "store"],
])("under a rule with %j, %j: %s", (policy, fields, reason) => {
  expect(said(verdictOn(fields, {}, policy))).toBe(reason);
});

test("a rule may let Authorization be, and not listen to requests", () => {
  const request = requestWith({ authorization: "x", "cache-control": "no-store" });
  expect(said(verdictOn(FRESH, { request }))).toBe("request-no-store");
  expect(said(verdictOn(FRESH, { request }, { requestDirectives: false }))).toBe("authorization");
  const open = { requestDirectives: false, allowAuthorization: true };
  expect(said(verdictOn(FRESH, { request }, open))).toBe("store");
});

test("a page that poses as a file is refused, unless the rule trusts the application", () => {
  const fields = { ...FRESH, "content-type": "text/html" };
  const request = requestWith({}, { target: "/account/x.css?a=b.html" });
  expect(said(verdictOn(fields, { request }))).toBe("deception");
  expect(said(verdictOn(fields, { request }, { deceptionCheck: false }))).toBe("store");
});

test("fields that private or no-cache name are withheld, those of a targeted field in their stead", () => {
  const named = exchangeOf(responseWith({ "cache-control": 'private="A", no-cache="b"' }));
  expect(withheldFields(named, policyWith())).toEqual(["a", "b"]);
  const targeted = responseWith({ "cache-control": 'private="a"', "cdn-cache-control": 'private="c"' });
  expect(withheldFields(exchangeOf(targeted), policyWith())).toEqual(["c"]);
});

test.each<
  readonly [cacheControl: string, flags: readonly (keyof typeof FLAG)[], whileS: number, errorS: number]
>([
  ["max-age=1", [], 7, 60],
  ["max-age=1, stale-while-revalidate=2, stale-if-error=3", [], 2, 3],
  ["s-maxage=1", ["sharedMaxAge", "authorized"], 0, 0],
  ["s-maxage=1, stale-while-revalidate=2", ["sharedMaxAge", "authorized"], 2, 0],
  ["max-age=1, must-revalidate, stale-if-error=3", ["mustRevalidate", "authorized"], 0, 0],
  ["max-age=1, proxy-revalidate, stale-while-revalidate=2", ["proxyRevalidate"], 0, 0],
  ["no-cache, stale-if-error=3", ["noCache", "heuristic"], 0, 0],
  ["public, immutable, max-age=1", ["immutable", "authorized"], 7, 60],
  ["public", ["heuristic", "authorized"], 7, 60],
])(
  "%j sets %j, stale use for %d and %d seconds (§4.2.4, RFC 5861)",
  (cacheControl, flags, whileS, errorS) => {
    const fields = { "cache-control": cacheControl, "last-modified": dateAt(-100), etag: '"a"' };
    const verdict = verdictOn(fields, {}, { staleWhileRevalidateMs: 7000 });
    if (verdict.kind === "no") throw new Error(verdict.reason);
    const { meta } = verdict;
    expect(meta.flags).toBe(flags.reduce((bits, flag) => bits | FLAG[flag], 0));
    expect([meta.staleWhileRevalidateMs, meta.staleIfErrorMs]).toEqual([whileS * 1000, errorS * 1000]);
  },
);

const REMEMBERED = {
  status: 200,
  requestWallMs: NOW_MS - 1000,
  responseWallMs: NOW_MS,
  initialAgeMs: 5000,
  lifetimeMs: 60_000,
  flags: 0,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 60_000,
  dateMs: NOW_MS - 5000,
  varyNames: "a,b",
  varyValues: "1\n\0",
  contentLanguage: "de",
  etag: '"a"',
  lastModified: dateAt(-100),
};

test("what is remembered is what decisions need", () => {
  const head = { ...FRESH, date: dateAt(-5), etag: '"a"', "last-modified": dateAt(-100) };
  const fields = { ...head, vary: "B, a", "content-language": "De" };
  const verdict = verdictOn(fields, { request: requestWith({ a: "1" }), requestWallMs: NOW_MS - 1000 });
  expect(verdict).toEqual({ kind: "store", source: "max-age", meta: REMEMBERED, withheld: [] });
});
