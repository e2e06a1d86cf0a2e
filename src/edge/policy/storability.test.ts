import { expect, test } from "bun:test";
import { METHOD } from "../../http/index.ts";
import type { CachePolicy } from "./policy.ts";
import { type RefusalReason, storability, withheldFields } from "./storability.ts";
import { FLAG } from "./stored-meta.ts";
import { exchange, type FieldMap, judge, policyWith, request, response, stored } from "./testing.ts";

const FRESH = { "Cache-Control": "max-age=3600" };

test.each([200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599])(
  "a %d that says how long it lives is stored",
  (status) => {
    expect(judge(FRESH, status).kind).toBe("store");
  },
);

test.each<[RefusalReason, FieldMap, number?]>([
  ["no-store", { "Cache-Control": "No-StOrE" }],
  ["no-store", { "Cache-Control": ["max-age=10000", "no-store"] }],
  ["private", { "Cache-Control": "private, max-age=3600" }],
  ["no-freshness", {}],
  ["no-freshness", { "Cache-Control": "public" }],
  ["no-freshness", { ETag: '"a"' }, 201],
  ["no-cache", { "Cache-Control": "no-cache, max-age=60" }],
  ["already-stale", { "Cache-Control": "max-age=3600", Age: "7200" }],
  ["set-cookie", { ...FRESH, "Set-Cookie": "a=b" }],
  ["vary-star", { ...FRESH, Vary: "*" }],
  ["vary-star", { ...FRESH, Vary: ["", "Foo, *"] }],
  ["vary-too-long", { ...FRESH, Vary: Array.from({ length: 17 }, (_, i) => `h${i}`).join() }],
  ["partial", FRESH, 206],
  ["status-not-cacheable", FRESH, 304],
  ["status-not-cacheable", FRESH, 416],
  ["status-not-cacheable", FRESH, 103],
  ["must-understand", { "Cache-Control": "max-age=3600, no-store, must-understand" }, 599],
])("not stored, because of %s: %j", (reason, fields, status = 200) => {
  expect(judge(fields, status)).toEqual({ kind: "no", reason });
});

test.each<[string, FieldMap]>([
  ["no-store is overridden by must-understand", { "Cache-Control": "max-age=60, no-store, must-understand" }],
  ["a validator is enough to ask with", { ETag: '"a"' }],
  ["no-cache with a validator", { "Cache-Control": "no-cache", ETag: '"a"' }],
  ["stale from the start, yet for use on errors", { "Cache-Control": "max-age=0, stale-if-error=60" }],
  [
    "only some fields are private",
    { "Cache-Control": 'max-age=60, private="set-cookie"', "Set-Cookie": "a=b" },
  ],
])("stored: %s", (_, fields) => {
  expect(judge(fields).kind).toBe("store");
});

test.each<[string, RefusalReason | "store", Partial<CachePolicy>?]>([
  ["max-age=60", "authorization"],
  ["max-age=60, public", "store"],
  ["max-age=60, must-revalidate", "store"],
  ["s-maxage=60", "store"],
  ["max-age=60", "store", { allowAuthorization: true }],
])("a response with %j to a request with Authorization: %s", (cacheControl, outcome, rule = {}) => {
  const asked = request({ Authorization: "x" });
  const verdict = storability(exchange(response({ "Cache-Control": cacheControl }), asked), policyWith(rule));
  expect(verdict.kind === "no" ? verdict.reason : verdict.kind).toBe(outcome);
});

test("no-store of a request counts, unless the rule ignores what requests say", () => {
  const seen = exchange(response(FRESH), request({ "Cache-Control": "no-store" }));
  expect(storability(seen, policyWith({}))).toEqual({ kind: "no", reason: "request-no-store" });
  expect(storability(seen, policyWith({ requestDirectives: false })).kind).toBe("store");
});

test.each([
  [METHOD.post, { ...FRESH, "Content-Location": "/a?b" }, "store"],
  [METHOD.post, { ...FRESH, "Content-Location": "/a" }, "no"],
  [METHOD.post, FRESH, "no"],
  [METHOD.post, { "Content-Location": "/a?b", "Last-Modified": "x", ETag: '"a"' }, "no"],
  [METHOD.put, { ...FRESH, "Content-Location": "/a?b" }, "no"],
  [METHOD.head, FRESH, "no"],
  [METHOD.options, FRESH, "no"],
] as const)("only a GET, or a POST that answers for it, is stored: %d %j %s", (method, fields, kind) => {
  expect(storability(exchange(response(fields), request({}, method, "/a?b")), policyWith({})).kind).toBe(
    kind,
  );
});

test("cookies are stored only where the rule allows it", () => {
  expect(judge({ ...FRESH, "Set-Cookie": "a=b" }, 200, { allowSetCookie: true }).kind).toBe("store");
});

test("an object larger than the rule allows is not stored", () => {
  const verdict = (bytes: number): string =>
    storability(exchange(response(FRESH, 200, bytes)), policyWith({ maxObjectBytes: 10 })).kind;
  expect([verdict(10), verdict(11)]).toEqual(["store", "no"]);
});

test.each([
  ["/me/x.css", "text/html; charset=utf-8", "no"],
  ["/me/x.JS?v=1", "application/json", "no"],
  ["/me/x.png", "application/problem+json", "no"],
  ["/x.css", "text/css", "store"],
  ["/x.map", "application/json", "store"],
  ["/x.html", "text/html", "store"],
  ["/x.json", "application/json", "store"],
  ["/v1.css/page", "text/html", "store"],
  ["/page?file=x.css", "text/html", "store"],
] as const)("%s with %s: %s, lest a page poses as a static file", (target, type, kind) => {
  const seen = exchange(response({ ...FRESH, "Content-Type": type }), request({}, METHOD.get, target));
  expect(storability(seen, policyWith({})).kind).toBe(kind);
});

test("fields that only one user may see, or that need asking, are withheld by name", () => {
  const seen = exchange(response({ "Cache-Control": 'no-cache="A, b", private="C", max-age=60' }));
  expect(withheldFields(seen, policyWith({}))).toEqual(["a", "b", "c"]);
});

test("what directives forbid is remembered as flags", () => {
  const flags = (cacheControl: string): number =>
    stored({ "Cache-Control": cacheControl, ETag: '"a"' }).flags;
  expect(flags("max-age=1")).toBe(0);
  expect(flags("no-cache")).toBe(FLAG.noCache);
  expect(flags("max-age=1, must-revalidate")).toBe(FLAG.mustRevalidate | FLAG.authorized);
  expect(flags("max-age=1, proxy-revalidate, immutable")).toBe(FLAG.proxyRevalidate | FLAG.immutable);
  expect(flags("s-maxage=1")).toBe(FLAG.sharedMaxAge | FLAG.authorized);
  expect(stored({ "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT" }).flags).toBe(FLAG.heuristic);
});

test.each([
  ["max-age=1", 7000, 60_000],
  ["max-age=1, stale-while-revalidate=2, stale-if-error=3", 2000, 3000],
  ["max-age=1, must-revalidate, stale-while-revalidate=2", 0, 0],
  ["max-age=1, proxy-revalidate, stale-if-error=2", 0, 0],
  ["s-maxage=1", 0, 0],
  ["s-maxage=1, stale-while-revalidate=2", 2000, 0],
])("%j allows stale use for %d ms while refreshing and for %d ms on errors", (cacheControl, swr, sie) => {
  const meta = stored({ "Cache-Control": cacheControl }, 200, { staleWhileRevalidateMs: 7000 });
  expect([meta.staleWhileRevalidateMs, meta.staleIfErrorMs]).toEqual([swr, sie]);
});
