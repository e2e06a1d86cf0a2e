import { expect, test } from "bun:test";
import { storability } from "./storability.ts";
import type { StoredMeta } from "./stored-meta.ts";
import { exchange, type FieldMap, policyWith, request, response } from "./testing.ts";
import { matchesVariant, normalizeEncodings, selectingValues, selectVariant } from "./vary.ts";

const storedFor = (vary: string, asked: FieldMap, fields: FieldMap = {}): StoredMeta => {
  const answer = response({ "Cache-Control": "max-age=60", Vary: vary, ...fields });
  const verdict = storability(exchange(answer, request(asked)), policyWith({}));
  if (verdict.kind === "no") throw new Error(verdict.reason);
  return verdict.meta;
};

test.each<[string, FieldMap, FieldMap, boolean]>([
  ["Foo", { Foo: "1" }, { Foo: "1" }, true],
  ["Foo", { Foo: "1" }, { Foo: "2" }, false],
  ["Foo", { Foo: "a" }, { Foo: "A" }, false],
  ["Foo", {}, { Foo: "1" }, false],
  ["Foo", { Foo: "1" }, {}, false],
  ["Foo", {}, { Foo: "" }, false],
  ["Foo", {}, {}, true],
  ["Foo", { Foo: "1", Other: "2" }, { Foo: "1", Other: "3" }, true],
  ["foo, FOO", { Foo: "1" }, { fOO: "1" }, true],
  ["Foo, Bar", { Foo: "1", Bar: "abc" }, { Foo: "1", Bar: "abc" }, true],
  ["Foo, Bar", { Foo: "1", Bar: "abc" }, { Foo: "1", Bar: "abcde" }, false],
  ["Foo, Bar, Baz", { Foo: "1", Baz: "9" }, { Foo: "1", Baz: "9" }, true],
  ["Foo", { Foo: "1, 2" }, { Foo: ["1", "2"] }, true],
  ["Foo", { Foo: "1,2" }, { Foo: " 1, 2 " }, true],
  ["Foo", { Foo: '"1,2"' }, { Foo: '"1, 2"' }, false],
  ["", { Foo: "1" }, { Foo: "2" }, true],
])("with Vary %j a response to %j answers %j: %p", (vary, first, second, matches) => {
  expect(matchesVariant(storedFor(vary, first), request(second))).toBe(matches);
});

test.each([
  ["en, de", "de, en", true],
  ["en, de", "eN, De", true],
  ["en, de", " en ,   de", true],
  ["en, de;q=0.5", "de;q=0.5, en", true],
  ["en, de", "en, de;q=0.5", false],
  ["en", "de", false],
])("languages are compared by their weights: %j and %j: %p", (first, second, matches) => {
  const meta = storedFor("Accept-Language", { "Accept-Language": first });
  expect(matchesVariant(meta, request({ "Accept-Language": second }))).toBe(matches);
});

test.each([
  ["fr;q=0.5, de;q=1.0", true],
  ["de", true],
  ["de, en", true],
  ["en;q=0.9, fr, de", false],
  ["fr, de;q=0.9", false],
  ["de;q=0", false],
])("a response in German answers %j: %p", (acceptLanguage, matches) => {
  const german = { "Content-Language": "de" };
  const meta = storedFor("Accept-Language", { "Accept-Language": "en, de" }, german);
  expect(matchesVariant(meta, request({ "Accept-Language": acceptLanguage }))).toBe(matches);
});

test.each([
  ["gzip, deflate, br, zstd", "br,deflate,gzip,zstd"],
  ["br;q=1.0, GZIP;q=0.8, *;q=0", "!identity,br,gzip"],
  ["*", "*,br,gzip,zstd"],
  ["x-gzip", "gzip"],
  ["gzip;q=0, br", "br"],
  ["gzip;q=0.000", ""],
  ["identity", ""],
  ["", ""],
  ["gzip, identity;q=0", "!identity,gzip"],
])("Accept-Encoding %j takes %j", (value, normal) => {
  expect(normalizeEncodings(value)).toBe(normal);
});

test("of several that match, the latest by Date is chosen", () => {
  const at = (dateMs: number, foo: string): StoredMeta => ({ ...storedFor("Foo", { Foo: foo }), dateMs });
  const candidates = [at(1, "a"), at(3, "a"), at(2, "a"), at(9, "b")];
  expect(selectVariant(candidates, request({ Foo: "a" }))?.dateMs).toBe(3);
  expect(selectVariant(candidates, request({ Foo: "c" }))).toBeUndefined();
});

test("the values that select are one text, so that a store can index them", () => {
  expect(selectingValues("", request({ Foo: "1" }))).toBe("");
  expect(selectingValues("bar,foo", request({ Foo: "1 , 2" }))).toBe("\0\n1,2");
});
