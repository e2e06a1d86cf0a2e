import { expect, test } from "bun:test";
import { parseList } from "../../http/index.ts";
import { type CacheOutcome, cacheStatus } from "./cache-status.ts";

test.each<[CacheOutcome, string]>([
  [{ kind: "hit", ttlMs: 123_900 }, "tenfold; hit; ttl=123"],
  [
    { kind: "hit", ttlMs: -1, detail: "stale-while-revalidate" },
    "tenfold; hit; ttl=-1; detail=stale-while-revalidate",
  ],
  [{ kind: "forward", reason: "uri-miss" }, "tenfold; fwd=uri-miss"],
  [{ kind: "forward", reason: "uri-miss", stored: false, collapsed: false }, "tenfold; fwd=uri-miss"],
  [
    {
      kind: "forward",
      reason: "stale",
      status: 304,
      stored: true,
      collapsed: true,
      ttlMs: 5000,
      detail: "expired",
    },
    "tenfold; fwd=stale; fwd-status=304; stored; collapsed; ttl=5; detail=expired",
  ],
  [{ kind: "forward", reason: "bypass", detail: "set-cookie" }, "tenfold; fwd=bypass; detail=set-cookie"],
])("%j is told as %j", (outcome, text) => {
  expect(cacheStatus(outcome)).toBe(text);
  expect(parseList(text)?.length).toBe(1);
});

test("what caches behind us said comes first", () => {
  expect(cacheStatus({ kind: "hit", ttlMs: 0 }, "Origin; hit")).toBe("Origin; hit, tenfold; hit; ttl=0");
  expect(cacheStatus({ kind: "hit", ttlMs: 0 }, "")).toBe("tenfold; hit; ttl=0");
});
