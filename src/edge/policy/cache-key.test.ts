import { expect, test } from "bun:test";
import { asBytes, RequestHead, text } from "../../http/index.ts";
import { type KeySource, writeKey } from "./cache-key.ts";
import { type CacheKeyRule, DEFAULT_KEY_RULE } from "./key-rule.ts";

const sourceOf = (target: string, fields: readonly string[] = [], isSecure = false): KeySource => {
  const hasHost = fields.some((line) => line.startsWith("Host:"));
  const lines = [`GET ${target} HTTP/1.1`, ...(hasHost ? [] : ["Host: a.example"]), ...fields];
  const bytes = asBytes(`${lines.join("\r\n")}\r\n\r\n`);
  const head = new RequestHead();
  if (head.parse(bytes, 0, bytes.length) <= 0) throw new Error(head.error);
  const { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd } = head;
  const places = { hostStart, hostEnd, authorityEnd, pathStart, pathEnd, queryStart, queryEnd };
  return { bytes, isSecure, ...places, field: (name) => head.value(bytes, name) };
};

const keyOf = (source: KeySource, rule: Partial<CacheKeyRule> = {}): string => {
  const to = new Uint8Array(1024);
  const length = writeKey(source, { ...DEFAULT_KEY_RULE, ...rule }, to);
  return text(to, 0, length).replaceAll("\0", "|");
};

test.each([
  ["/a?b=c", [], "http|a.example|/a?b=c"],
  ["/A%2f?", [], "http|a.example|/A%2f"],
  ["/", ["Host: A.Example"], "http|a.example|/"],
  ["/", ["Host: a.example:80"], "http|a.example|/"],
  ["/", ["Host: a.example:8080"], "http|a.example:8080|/"],
  ["/", ["Host: a.example:443"], "http|a.example:443|/"],
  ["http://b.example?x", ["Host: b.example"], "http|b.example|/?x"],
])("by default %s with %j has the key %s", (target, fields, key) => {
  expect(keyOf(sourceOf(target, fields))).toBe(key);
});

test("http and https have keys of their own, without the port that goes without saying", () => {
  expect(keyOf(sourceOf("/", ["Host: a.example:443"], true))).toBe("https|a.example|/");
});

test.each<[Partial<CacheKeyRule>, string]>([
  [{ query: "none" }, ""],
  [{ sortQuery: true }, "?a=2&a=1&b=3&utm_id=4&utm_x"],
  [{ query: { allow: ["a"] } }, "?a=2&a=1"],
  [{ query: { allow: ["utm_*"] }, sortQuery: true }, "?utm_id=4&utm_x"],
  [{ query: { deny: ["utm_*", "a"] } }, "?b=3"],
  [{ query: { allow: ["zzz"] } }, ""],
  [{ query: { deny: [] } }, "?utm_x&b=3&a=2&utm_id=4&a=1"],
])("the rule %j keeps %j of the query", (rule, query) => {
  expect(keyOf(sourceOf("/p?utm_x&b=3&a=2&utm_id=4&&a=1"), rule)).toBe(`http|a.example|/p${query}`);
});

test("a parameter counts by the name that the application reads, however it is written", () => {
  const rule = { query: { allow: ["id", "a b"] } };
  expect(keyOf(sourceOf("/?i%64=1&a+b=2&a%20b=3&%ff=4"), rule)).toBe("http|a.example|/?i%64=1&a+b=2&a%20b=3");
});

test("fields, cookies, device and language follow as the rule names them", () => {
  const rule = {
    headers: ["x-a", "x-b", "x-c"],
    cookies: ["plan", "none"],
    device: true,
    languages: ["en", "de"],
  };
  const fields = [
    "X-A: 1",
    "X-B:",
    "Cookie: sid=9; plan=pro",
    "User-Agent: Mozilla/5.0 (iPhone) Mobile",
    "Accept-Language: de-AT, en;q=0.5",
  ];
  expect(keyOf(sourceOf("/", fields), rule)).toBe(
    "http|a.example|/|h:x-a=1|h:x-b=|h:x-c|c:plan=pro|c:none|d:mobile|l:de",
  );
});

test.each([
  ["plan=1; plan=2", "=1;2"],
  ['plan="1" ; x=3;plan=', '="1";'],
  ['plan="";plan="', '="";"'],
  ["plan=1 ;plan=1", "=1;1"],
  ["xplan=1", ""],
])("of several cookies with one name all count: %j", (cookie, values) => {
  expect(keyOf(sourceOf("/", [`Cookie: ${cookie}`]), { cookies: ["plan"] })).toBe(
    `http|a.example|/|c:plan${values}`,
  );
});

test("a key that has no room is not written in part", () => {
  const source = sourceOf("/a?b", ["X-A: 123"]);
  const withField = { ...DEFAULT_KEY_RULE, headers: ["x-a"] };
  expect(writeKey(source, DEFAULT_KEY_RULE, new Uint8Array(10))).toBe(-1);
  expect(writeKey(source, DEFAULT_KEY_RULE, new Uint8Array(64))).toBe("http|a.example|/a?b".length);
  expect(writeKey(source, withField, new Uint8Array(28))).toBe(-1);
});
