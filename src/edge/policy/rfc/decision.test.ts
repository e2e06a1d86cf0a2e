import { expect, test } from "bun:test";
import { METHOD } from "../../../http/index.ts";
import { decide } from "../decision.ts";
import { NOW_MS, policyWith, requestWith, storedWith, type TestFields, type TestStored } from "./testing.ts";

const POLICY = policyWith();

/** The kind and the reason of a decision, as "kind reason". */
function decided(fields: TestFields, stored: TestStored | undefined, policy = POLICY): string {
  const meta = stored === undefined ? undefined : storedWith(stored);
  const { kind, reason } = decide(requestWith(fields), meta, policy, NOW_MS);
  return `${kind} ${reason}`;
}

test.each<readonly [stored: TestStored | undefined, decision: string]>([
  [{ lifetimeS: 0 }, "revalidate expired"],
  [{ ageS: 61, staleWhileRevalidateMs: 2000 }, "stale stale-while-revalidate"],
  [{ ageS: 62, staleWhileRevalidateMs: 2000 }, "revalidate expired"],
  [{ ageS: 60, flags: ["mustRevalidate"] }, "revalidate must-revalidate"],
  [{ ageS: 60, flags: ["proxyRevalidate"] }, "revalidate must-revalidate"],
  [{ ageS: 60, flags: ["sharedMaxAge"] }, "revalidate must-revalidate"],
  [{ ageS: 60, flags: ["sharedMaxAge"], staleWhileRevalidateMs: 1 }, "stale stale-while-revalidate"],
  [{ flags: ["noCache"], staleWhileRevalidateMs: 9 }, "revalidate no-cache"],
  [{ flags: ["invalidated"], staleWhileRevalidateMs: 9 }, "revalidate invalidated"],
  [{ flags: ["purged", "mustRevalidate"] }, "revalidate purged"],
  [{ ageS: 60, flags: ["purged"] }, "revalidate purged"],
  [{ ageS: 60, flags: ["purged", "mustRevalidate"] }, "revalidate purged"],
  [{ flags: ["purged", "noCache"] }, "revalidate no-cache"],
  [{ ageS: 61, flags: ["purged"], staleWhileRevalidateMs: 2000 }, "stale stale-while-revalidate"],
  [{ ageS: 62, flags: ["purged"], staleWhileRevalidateMs: 2000 }, "revalidate purged"],
  [{ flags: ["purged", "invalidated"] }, "revalidate invalidated"],
  [{ flags: ["heuristic", "immutable"] }, "hit fresh"],
])("a plain request for what is stored as %j: %s (§4.2)", (stored, decision) => {
  expect(decided({}, stored)).toBe(decision);
});

test.each<readonly [cacheControl: string, stored: TestStored | undefined, decision: string]>([
  ["max-age=10", { ageS: 10 }, "hit fresh"],
  ["max-age=10", { ageS: 11 }, "revalidate request-max-age"],
  ["max-age=x", { ageS: 0 }, "revalidate request-max-age"],
  ["max-age=100", { ageS: 60 }, "revalidate expired"],
  ["min-fresh=50", { ageS: 10 }, "hit fresh"],
  ["min-fresh=51", { ageS: 10 }, "revalidate request-min-fresh"],
  ["min-fresh=10, max-stale", { ageS: 60 }, "revalidate request-min-fresh"],
  ["max-stale=10", { ageS: 70 }, "stale request-max-stale"],
  ["max-stale=10", { ageS: 71 }, "revalidate expired"],
  ["max-stale=x", { ageS: 61 }, "revalidate expired"],
  ["max-stale", { ageS: 60, flags: ["mustRevalidate"] }, "revalidate must-revalidate"],
  ["max-stale", { ageS: 60, flags: ["proxyRevalidate"] }, "revalidate must-revalidate"],
  ["max-stale", { ageS: 60, flags: ["sharedMaxAge"] }, "revalidate must-revalidate"],
  ["max-stale", { flags: ["noCache"] }, "revalidate no-cache"],
  ["max-stale", { ageS: 60, flags: ["purged"] }, "revalidate purged"],
  ["max-stale", { ageS: 61, staleWhileRevalidateMs: 2000 }, "stale stale-while-revalidate"],
  ["max-stale=100, max-age=10", { ageS: 70 }, "revalidate request-max-age"],
  ["only-if-cached, max-stale", { ageS: 60 }, "stale request-max-stale"],
  ["only-if-cached, no-cache", { ageS: 1 }, "gateway-timeout only-if-cached"],
  ["only-if-cached, no-store", undefined, "gateway-timeout only-if-cached"],
])("%j for what is stored as %j: %s (§5.2.1)", (cacheControl, stored, decision) => {
  expect(decided({ "cache-control": cacheControl }, stored)).toBe(decision);
});

test.each<readonly [fields: TestFields, stored: TestStored | undefined, decision: string]>([
  [{ "if-modified-since": "x" }, undefined, "miss absent"],
  [{ "if-match": "*", "cache-control": "only-if-cached" }, {}, "gateway-timeout only-if-cached"],
  [{ authorization: "x" }, undefined, "miss absent"],
  [{ authorization: "x" }, { flags: ["authorized"], ageS: 60 }, "revalidate expired"],
  [{ authorization: "x", "cache-control": "only-if-cached" }, {}, "gateway-timeout only-if-cached"],
])("a request with %j for %j: %s (§3.5, §4.3, §5.4)", (fields, stored, decision) => {
  expect(decided(fields, stored)).toBe(decision);
});

test("a rule may let Authorization be, and not listen to requests", () => {
  expect(decided({ authorization: "x" }, {}, policyWith({ allowAuthorization: true }))).toBe("hit fresh");
  const deaf = policyWith({ requestDirectives: false });
  expect(decided({ "cache-control": "no-store, no-cache, max-age=0" }, {}, deaf)).toBe("hit fresh");
  expect(decided({ pragma: "no-cache" }, {}, deaf)).toBe("hit fresh");
});

test("only GET and HEAD are answered from the store", () => {
  for (const [name, method] of Object.entries(METHOD)) {
    const { kind } = decide(requestWith({}, { method }), storedWith(), POLICY, NOW_MS);
    expect([name, kind]).toEqual([name, name === "get" || name === "head" ? "hit" : "bypass"]);
  }
});

test("a clock that was set back leaves a response as old as it came", () => {
  const stored = storedWith({ ageS: 60 });
  expect(decide(requestWith(), stored, POLICY, NOW_MS - 3_600_000).kind).toBe("revalidate");
});
