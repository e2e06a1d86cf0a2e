import { expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { asBytes, RequestHead, text } from "../http/index.ts";
import { urlKey } from "./key.ts";
import { type CacheKeyRule, DEFAULT_KEY_RULE, type KeyPlace, writeKey } from "./policy/index.ts";
import { pick, pickSome } from "./policy/rfc/testing.ts";

/** The URL part of the key of a GET. */
function urlPartOf(rule: CacheKeyRule, host: string, target: string): string {
  const bytes = asBytes(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const head = new RequestHead();
  if (head.parse(bytes, 0, bytes.length) <= 0) throw new Error(head.error);
  const { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd } = head;
  const places = { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd };
  const key = new Uint8Array(1024);
  const place: KeyPlace = { urlStart: 0, pathEnd: 0, urlEnd: 0 };
  writeKey({ bytes, isSecure: false, ...places, field: () => undefined }, rule, key, place);
  return text(key, place.urlStart, place.urlEnd);
}

function named(rule: CacheKeyRule, host: string, target: string): string {
  const key = urlKey(rule, { host, target });
  return text(key, 0, key.length);
}

const QUERIES: readonly CacheKeyRule["query"][] = [
  "all",
  "none",
  { allow: ["a", "b"] },
  { allow: [""] },
  { deny: ["a*"] },
  { deny: [""] },
];

const HOSTS = ["A", "a.example:80", "a:8080", "[::A]", "[::1]:80", "a:"];
const PIECES = ["a", "b", "=", "&", "?", "/", "%61", "1", ";", "&&", "a=1"];

test("the key that a purge by URL names is the URL part of the request's, under every rule", () => {
  const random = seededRandom(7);
  for (let i = 0; i < 3000; i++) {
    const rule = { ...DEFAULT_KEY_RULE, query: pick(random, QUERIES), sortQuery: random() < 0.5 };
    const host = pick(random, HOSTS);
    const target = `/${pickSome(random, PIECES, 8).join("")}`;
    expect([host, target, named(rule, host, target)]).toEqual([host, target, urlPartOf(rule, host, target)]);
  }
});

test("a URL without a path names that of /", () => {
  expect(named(DEFAULT_KEY_RULE, "a", "")).toBe("a\0/");
  expect(named(DEFAULT_KEY_RULE, "a", "?x")).toBe("a\0/?x");
});
