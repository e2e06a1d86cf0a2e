import { expect, test } from "bun:test";
import { METHOD } from "../../http/index.ts";
import { decide } from "./decision.ts";
import type { CacheRequest } from "./message.ts";
import type { CachePolicy } from "./policy.ts";
import { FLAG, type StoredMeta } from "./stored-meta.ts";
import { date, type FieldMap, policyWith, request, SECOND, stored, T0 } from "./testing.ts";

interface Case {
  readonly asked?: FieldMap;
  readonly kept?: FieldMap | "nothing";
  /** Seconds since the response came. */
  readonly after?: number;
  readonly rule?: Partial<CachePolicy>;
}

const decisionOn = ({ asked = {}, kept = {}, after = 0, rule = {} }: Case): string => {
  const meta = kept === "nothing" ? undefined : stored({ "Cache-Control": "max-age=100", ...kept });
  const { kind, reason } = decide(request(asked), meta, policyWith(rule), T0 + after * SECOND);
  return `${kind}: ${reason}`;
};

const MAX_AGE = (more: string): FieldMap => ({ "Cache-Control": `max-age=100${more}` });
const SAYING = (directives: string): FieldMap => ({ "Cache-Control": directives });

test.each<[string, Case]>([
  ["hit: fresh", {}],
  ["hit: fresh", { after: 99 }],
  ["revalidate: expired", { after: 100 }],
  ["miss: absent", { kept: "nothing" }],
  ["revalidate: no-cache", { kept: { ...MAX_AGE(", no-cache"), ETag: '"a"' } }],
  ["hit: fresh", { kept: MAX_AGE(", must-revalidate") }],
  ["revalidate: must-revalidate", { kept: MAX_AGE(", must-revalidate"), after: 101 }],
  ["stale: stale-while-revalidate", { kept: MAX_AGE(", stale-while-revalidate=5"), after: 104 }],
  ["revalidate: expired", { kept: MAX_AGE(", stale-while-revalidate=5"), after: 105 }],
  ["stale: stale-while-revalidate", { kept: SAYING("s-maxage=1, stale-while-revalidate=59"), after: 30 }],
  ["hit: fresh", { kept: MAX_AGE(", immutable"), asked: { Cookie: "a=b" } }],
])("%s, without a word from the request: %j", (expected, sample) => {
  expect(decisionOn(sample)).toBe(expected);
});

test.each<[string, Case]>([
  ["hit: fresh", { asked: SAYING("nothing-to-see-here") }],
  ["revalidate: request-no-cache", { asked: SAYING("no-cache") }],
  ["revalidate: request-no-cache", { asked: { Pragma: "no-cache" } }],
  ["hit: fresh", { asked: { Pragma: "unrecognised-extension" } }],
  ["hit: fresh", { asked: { Pragma: "no-cache", ...SAYING("foo") } }],
  ["miss: absent", { asked: SAYING("no-cache"), kept: "nothing" }],
  ["bypass: request-no-store", { asked: SAYING("no-store") }],
  ["revalidate: request-max-age", { asked: SAYING("max-age=0") }],
  ["revalidate: request-max-age", { asked: SAYING("max-age=1"), after: 3 }],
  ["revalidate: request-max-age", { asked: SAYING("max-age=60"), kept: { Age: "80" } }],
  ["hit: fresh", { asked: SAYING("max-age=60"), after: 60 }],
  ["revalidate: request-min-fresh", { asked: SAYING("min-fresh=60"), after: 41 }],
  ["hit: fresh", { asked: SAYING("min-fresh=60"), after: 40 }],
  ["stale: request-max-stale", { asked: SAYING("max-stale=10"), after: 110 }],
  ["stale: request-max-stale", { asked: SAYING("max-stale"), after: 9999 }],
  ["revalidate: expired", { asked: SAYING("max-stale=10"), after: 111 }],
  ["revalidate: request-max-age", { asked: SAYING("max-stale=10, max-age=50"), after: 105 }],
  ["revalidate: must-revalidate", { asked: SAYING("max-stale"), kept: SAYING("s-maxage=100"), after: 101 }],
  [
    "revalidate: must-revalidate",
    { asked: SAYING("max-stale"), kept: MAX_AGE(", proxy-revalidate"), after: 101 },
  ],
  ["gateway-timeout: only-if-cached", { asked: SAYING("only-if-cached"), kept: "nothing" }],
  ["gateway-timeout: only-if-cached", { asked: SAYING("only-if-cached"), after: 101 }],
  ["hit: fresh", { asked: SAYING("only-if-cached") }],
  ["hit: fresh", { asked: SAYING("no-cache"), rule: { requestDirectives: false } }],
])("%s, as the request asks: %j", (expected, sample) => {
  expect(decisionOn(sample)).toBe(expected);
});

test.each<[string, Case]>([
  ["miss: authorization", { asked: { Authorization: "x" } }],
  ["hit: fresh", { asked: { Authorization: "x" }, kept: MAX_AGE(", public") }],
  ["hit: fresh", { asked: { Authorization: "x" }, rule: { allowAuthorization: true } }],
  ["bypass: precondition", { asked: { "If-Match": '"a"' } }],
  ["bypass: precondition", { asked: { "If-Unmodified-Since": date(0) } }],
  ["hit: fresh", { asked: { "If-None-Match": '"a"' } }],
  ["hit: fresh", { asked: { Range: "bytes=0-1" } }],
])("%s, for a request with %j", (expected, sample) => {
  expect(decisionOn(sample)).toBe(expected);
});

test("GET and HEAD are answered from the store, other methods go around it", () => {
  const meta = stored({ "Cache-Control": "max-age=100" });
  const kinds = [METHOD.get, METHOD.head, METHOD.post, METHOD.options, METHOD.other].map(
    (method) => decide(request({}, method), meta, policyWith({}), T0).kind,
  );
  expect(kinds).toEqual(["hit", "hit", "bypass", "bypass", "bypass"]);
});

test.each([
  ["revalidate: purged", FLAG.purged, "max-age=100"],
  ["stale: stale-while-revalidate", FLAG.purged, "max-age=100, stale-while-revalidate=9"],
  ["revalidate: invalidated", FLAG.invalidated, "max-age=100, stale-while-revalidate=9"],
])("%s, once the store has set the flag", (expected, flag, cacheControl) => {
  const meta = stored({ "Cache-Control": cacheControl });
  const { kind, reason } = decide(request(), { ...meta, flags: meta.flags | flag }, policyWith({}), T0);
  expect(`${kind}: ${reason}`).toBe(expected);
});

test.each<[FieldMap, object]>([
  [{ ETag: '"a"' }, { ifNoneMatch: '"a"' }],
  [{ ETag: 'W/"a"' }, { ifNoneMatch: 'W/"a"' }],
  [{ "Last-Modified": date(-9) }, { ifModifiedSince: date(-9) }],
  [
    { ETag: '"a"', "Last-Modified": date(-9) },
    { ifNoneMatch: '"a"', ifModifiedSince: date(-9) },
  ],
  [{}, {}],
])("the upstream is asked with every validator there is: %j", (fields, conditions) => {
  const meta = stored({ "Cache-Control": "max-age=1", ...fields });
  expect(decide(request(), meta, policyWith({}), T0 + 2000)).toEqual({
    kind: "revalidate",
    reason: "expired",
    conditions,
  });
});

test("a hit for a plain request reads no field and makes no object", () => {
  const plain: CacheRequest = {
    ...request(),
    field: (name) => {
      throw new Error(`read ${name}`);
    },
  };
  const meta: StoredMeta = stored({ "Cache-Control": "max-age=100", Vary: "foo" });
  const policy = policyWith({});
  expect(decide(plain, meta, policy, T0)).toBe(decide(plain, meta, policy, T0 + 1));
});
