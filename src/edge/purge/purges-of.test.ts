import { describe, expect, test } from "bun:test";
import { asBytes, RequestHead } from "../../http/index.ts";
import { type CacheKeyRule, DEFAULT_KEY_RULE, tagsOf, writeKey } from "../policy/index.ts";
import { memoryStore } from "../store/testing.ts";
import { prefixBytes, tagHash, urlHash } from "./hashes.ts";
import { purgesOf } from "./purges-of.ts";
import { type PurgeItem, readPurgeRequest } from "./request.ts";

const store = memoryStore();

function rule(over: Partial<CacheKeyRule> = {}): CacheKeyRule {
  return { ...DEFAULT_KEY_RULE, ...over };
}

/** The only item of a request. */
function item(body: Record<string, unknown>): PurgeItem {
  const reading = readPurgeRequest(body);
  if (reading.kind === "problems" || reading.request.items[0] === undefined) throw new Error("no item");
  return reading.request.items[0];
}

/** The hash and the URL's bytes that a request stores its answer under. */
function stored(
  key: CacheKeyRule,
  url: { host: string; target: string },
): { hash: number; bytes: Uint8Array } {
  const bytes = asBytes(`GET ${url.target} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
  const head = new RequestHead();
  expect(head.parse(bytes, 0, bytes.length)).toBeGreaterThan(0);
  const out = new Uint8Array(1024);
  const place = { urlStart: 0, pathEnd: 0, urlEnd: 0 };
  const { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd } = head;
  const places = { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd };
  const source = { bytes, isSecure: false, ...places, field: () => undefined };
  expect(writeKey(source, key, out, place)).toBeGreaterThan(0);
  const { urlStart, urlEnd } = place;
  return { hash: store.hashHigh(out, urlStart, urlEnd), bytes: out.slice(urlStart, urlEnd) };
}

const RULES: readonly CacheKeyRule[] = [
  rule(),
  rule({ query: "none" }),
  rule({ query: { allow: ["b", "a"] }, headers: ["accept-language"] }),
  rule({ query: { deny: ["utm"] }, sortQuery: true, device: true }),
  rule({ sortQuery: true }),
];

const TARGETS = ["/", "/a", "/a?", "/a?b", "/a?utm=1", "/a?b=2&a=1&utm=3", "/a?x?y", "/a?&", "/%7Ea//b"];

describe("the purges of a thing", () => {
  test("hash a URL as the gateway does when it stores an answer, under any key rule", () => {
    for (const key of RULES) {
      for (const target of TARGETS) {
        const url = { host: "Shop.Example:8080", target };
        expect(urlHash(store, key, url)).toBe(stored(key, url).hash);
      }
    }
  });

  test("hash a URL once under rules that choose the same of its query", () => {
    const purges = purgesOf(item({ urls: ["http://h:1/a"] }), { store, keyRules: () => RULES }, true);
    expect(purges).toEqual([
      { kind: "url", hash: stored(rule(), { host: "h:1", target: "/a" }).hash, hard: true },
    ]);
  });

  test("of a prefix are the bytes that the keys below it begin with", () => {
    const { bytes } = stored(rule(), { host: "h:1", target: "/img/a.png?x" });
    const prefix = prefixBytes({ host: "H:1", target: "/img/" });
    expect(bytes.subarray(0, prefix.length)).toEqual(new Uint8Array(prefix));
  });

  test("of a tag find it whatever its case, and whether it was sent in UTF-8 or not", () => {
    const { length: all } = purgesOf(item({ tags: ["Süß"] }), { store, keyRules: () => [] }, false);
    expect(all).toBe(2);
    for (const sent of ["SÜß", Buffer.from("Süß").toString("latin1")]) {
      const [tag = ""] = tagsOf({ field: (name) => (name === "cache-tag" ? sent : undefined) }).kept;
      const purges = purgesOf(item({ tags: ["Süß"] }), { store, keyRules: () => [] }, false);
      expect(purges).toContainEqual({ kind: "tag", hash: tagHash(store, tag), hard: false });
    }
  });
});
