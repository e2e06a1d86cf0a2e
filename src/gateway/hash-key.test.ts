import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import type { Algorithm, HashKey } from "../config/index.ts";
import { keyHash } from "./hash-key.ts";
import { viewOfGet } from "./testing/index.ts";

const hasher = (key: HashKey, algorithm: Algorithm = "hash"): ReturnType<typeof keyHash> =>
  keyHash(algorithm, key, seededRandom(1));

describe("the hash of a request's key", () => {
  test("is the same for the same key, and another for another", () => {
    const cases: [HashKey, string, string][] = [
      [{ kind: "header", name: "x-user" }, "X-User: anna", "X-User: bert"],
      [{ kind: "cookie", name: "sid" }, "Cookie: a=b; sid=1", "Cookie: a=b; sid=2"],
    ];
    for (const [key, one, other] of cases) {
      const hash = hasher(key);
      expect(hash(viewOfGet("/1", one))).toBe(hash(viewOfGet("/2", one)));
      expect(hash(viewOfGet("/1", one))).not.toBe(hash(viewOfGet("/1", other)));
    }
  });

  test("can be that of the path, of a parameter, of the address", () => {
    const path = hasher({ kind: "path" });
    expect(path(viewOfGet("/a?1"))).toBe(path(viewOfGet("/a?2")));
    const query = hasher({ kind: "query", name: "u" });
    expect(query(viewOfGet("/a?u=1"))).toBe(query(viewOfGet("/b?x=0&u=1")));
    const ip = hasher({ kind: "ip" });
    expect(ip(viewOfGet("/a"))).toBe(ip(viewOfGet("/b")));
    expect(ip(viewOfGet("/a"))).not.toBe(ip({ ...viewOfGet("/a"), clientIp: "192.0.2.8" }));
    expect(hasher({ kind: "path" }, "ip-hash")(viewOfGet("/a"))).toBe(ip(viewOfGet("/b")));
  });

  test("is drawn at random without a key, so that nobody gets all of those", () => {
    const hash = hasher({ kind: "header", name: "x-user" });
    expect(new Set(Array.from({ length: 50 }, () => hash(viewOfGet("/")))).size).toBeGreaterThan(45);
  });

  test("is not worked out for algorithms that do not hash", () => {
    for (const algorithm of ["round-robin", "least-requests", "p2c"] as const) {
      expect(hasher({ kind: "path" }, algorithm)(viewOfGet("/a"))).toBe(0);
    }
  });
});
