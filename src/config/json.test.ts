import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { parseJson } from "./json.ts";

const SAMPLE = '{"a": [1, -2.5e3, true, null], "b": {"c": "x\\n\\u00e4"}, "d": []}';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("parseJson", () => {
  test.each([
    ["{\n  'a': 1\n}", 2, 3, 'expected a key in double quotes, found "\'"'],
    ['{\n  "a": 1,\n}', 3, 1, 'expected a key in double quotes, found "}"'],
    ['{"a": 1 "b": 2}', 1, 9, 'expected "," or "}", found "\\""'],
    ['{"a": tru}', 1, 7, 'expected a value, found "t"'],
    ['{"a": 1', 1, 8, 'expected "," or "}", found the end of the file'],
    ["[1] 2", 1, 5, 'expected the end of the file, found "2"'],
    ['["a\nb"]', 1, 4, "a string holds a bare control character"],
    [String.raw`["\x"]`, 1, 2, 'this string does not end, or has a wrong escape, found "\\""'],
    ['{"a": 1,\n "a": 2}', 2, 2, 'the key "a" is there twice'],
  ])("%p", (text, line, column, what) => {
    expect(parseJson(text)).toEqual({ kind: "wrong", at: { line, column }, what });
  });

  test("is bounded in depth", () => {
    expect(parseJson("[".repeat(1_000_000))).toMatchObject({ kind: "wrong" });
  });

  test("agrees with JSON.parse on every mutation of a text", () => {
    const random = seededRandom(7);
    const letters = '{}[]":,-+.eE019 \n\t\\u"truefalsn';
    for (let round = 0; round < 20_000; round++) {
      const at = Math.floor(random() * SAMPLE.length);
      const letter = letters.charAt(Math.floor(random() * letters.length));
      const text = SAMPLE.slice(0, at) + letter + SAMPLE.slice(at + Math.floor(random() * 3));
      const reading = parseJson(text);
      const twice = reading.kind === "wrong" && reading.what.endsWith("is there twice");
      if (!twice && (reading.kind === "ok") !== isJson(text)) throw new Error(`disagree on ${text}`);
    }
    expect(parseJson(SAMPLE)).toEqual({ kind: "ok", value: JSON.parse(SAMPLE) });
  });
});
