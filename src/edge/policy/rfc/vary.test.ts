import { expect, test } from "bun:test";
import { matchesVariant, normalizeEncodings, selectingValues, varyNames } from "../vary.ts";
import { requestWith, storedWith, type TestFields } from "./testing.ts";

/** Whether what was stored for one request answers another. */
function matches(vary: string, stored: TestFields, asked: TestFields, contentLanguage = ""): boolean {
  const names = [varyNames(vary)].flat().join(",");
  const varyValues = selectingValues(names, requestWith(stored));
  return matchesVariant(storedWith({ varyNames: names, varyValues, contentLanguage }), requestWith(asked));
}

test.each<readonly [vary: string | undefined, names: readonly string[] | "*"]>([
  [undefined, []],
  ["", []],
  [" , ", []],
  ["B, a,B ,A", ["a", "b"]],
  ["*", "*"],
  ["a, *", "*"],
  ["*a", ["*a"]],
])("Vary %j names %j (RFC 9110 §12.5.5)", (vary, names) => {
  expect(varyNames(vary)).toEqual(names);
});

test.each<readonly [vary: string, stored: TestFields, asked: TestFields, isMatch: boolean]>([
  ["", { a: "1" }, { a: "2" }, true],
  ["a", { a: "1", b: "1" }, { a: "1", b: "2" }, true],
  ["a", { a: "" }, {}, false],
  ["a, b", { a: "1" }, { b: "1" }, false],
  ["a", { a: "1,2" }, { a: " 1 ,\t2" }, true],
  ["a", { a: "1, 2" }, { a: "2, 1" }, false],
  ["a", { a: '"1, 2"' }, { a: '"1,2"' }, false],
  ["constructor", { constructor: "1" }, { constructor: "1" }, true],
  ["constructor", { constructor: "1" }, { constructor: "2" }, false],
])("with Vary %j, what was stored for %j answers %j: %p (§4.1)", (vary, stored, asked, isMatch) => {
  expect(matches(vary, stored, asked)).toBe(isMatch);
});

test.each([
  ["gzip, br", "br,gzip"],
  ["br;q=0.1 , GZIP;q=1", "br,gzip"],
  ["identity;q=1, *;q=0", ""],
  ["gzip;q=0, *", "*,br,zstd"],
  ["gzip, *;q=0", "!identity,gzip"],
  ["*;q=0", "!identity"],
  ["deflate", "deflate"],
  ["compress, dcb", "compress,dcb"],
])("Accept-Encoding %j takes the codings %j (RFC 9110 §12.5.3)", (value, codings) => {
  expect(normalizeEncodings(value)).toBe(codings);
});

test.each([
  ["gzip, br", "br,gzip", true],
  ["gzip", "gzip, br", false],
  ["deflate", "identity", false],
  ["gzip, deflate", "gzip", false],
])("what was stored for Accept-Encoding %j answers %j: %p", (stored, asked, isMatch) => {
  const fields = [{ "accept-encoding": stored }, { "accept-encoding": asked }] as const;
  expect(matches("Accept-Encoding", ...fields)).toBe(isMatch);
});

test.each([
  ["de, en;q=0.5", "en;q=0.5,DE", "", true],
  ["de, en;q=0.5", "de, en;q=0.6", "", false],
  ["de, en;q=0.50", "de;q=1.0, en;q=0.5", "", true],
  ["de", "de, en;q=0.5", "", false],
  ["de", "de, en;q=0.5", "de", true],
  ["de", "en, de;q=0.5", "de", false],
  ["de", "de, en", "de", false],
  ["de", "de;q=0", "de", false],
  ["de", "en", "de, en", false],
])(
  "what was stored for Accept-Language %j answers %j when it is in %j: %p",
  (stored, asked, language, isMatch) => {
    const fields = [{ "accept-language": stored }, { "accept-language": asked }] as const;
    expect(matches("Accept-Language", ...fields, language)).toBe(isMatch);
  },
);

test("a language that the request likes best makes up for no other field", () => {
  const stored = { a: "1", "accept-language": "de" };
  expect(matches("A, Accept-Language", stored, { a: "2", "accept-language": "de, en;q=0.5" }, "de")).toBe(
    false,
  );
  expect(matches("A, Accept-Language", stored, { a: "1" }, "de")).toBe(false);
});
