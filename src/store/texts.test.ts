import { describe, expect, test } from "bun:test";
import { bytesOf } from "../resp/index.ts";
import { matchesGlob } from "./glob.ts";
import { addLongDoubles } from "./long-double.ts";
import { canonicalInteger, int64, parseDouble } from "./numbers.ts";

describe("patterns", () => {
  test.each([
    ["*", "anything", true],
    ["h?llo", "hello", true],
    ["h?llo", "hllo", false],
    ["h*llo", "heeeello", true],
    ["h[ae]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[a-c]llo", "hbllo", true],
    ["h\\*llo", "h*llo", true],
    ["h\\*llo", "hello", false],
    ["[", "[", false],
    ["a*b*c*d", "axxbxxcxxe", false],
    ["", "", true],
  ])("%p matches %p: %p", (pattern, text, matches) => {
    const bytes = bytesOf(text);
    expect(matchesGlob(bytesOf(pattern), bytes, 0, bytes.length)).toBe(matches);
  });

  test("that would backtrack for years are done at once", () => {
    const bytes = bytesOf("a".repeat(5000));
    expect(matchesGlob(bytesOf(`${"a*".repeat(30)}b`), bytes, 0, bytes.length)).toBe(false);
  });
});

describe("numbers", () => {
  test.each([
    ["0.1", "0.2", "0.3"],
    ["10.50", "0.1", "10.6"],
    ["3.0e3", "200", "3200"],
    ["5.0e3", "-5000", "0"],
    ["1012.4", "0", "1012.40000000000000002"],
    ["-9223372036854775808", "16.44", "-9223372036854775791.5"],
  ])("%p and %p are %p, as on redis-server", (a, b, sum) => {
    expect(addLongDoubles(a, b)).toBe(sum);
  });

  test("whole ones are canonical or none at all", () => {
    const read = (text: string): number => canonicalInteger(bytesOf(text), 0, text.length);
    expect(["7", "-12", "0"].map(read)).toEqual([7, -12, 0]);
    for (const text of ["07", "-0", "+1", "", "1 ", "1e3", "9007199254740993"]) expect(read(text)).toBeNaN();
    expect(int64(bytesOf("9223372036854775807"), 0, 19)).toBe(2n ** 63n - 1n);
    expect(int64(bytesOf("9223372036854775808"), 0, 19)).toBeUndefined();
  });

  test("doubles are what strtod reads, but for NaN and space", () => {
    expect([".5", "1e3", "-inf", "+infinity"].map(parseDouble)).toEqual([0.5, 1000, -Infinity, Infinity]);
    for (const text of ["nan", " 1", "1 ", "", "abc", "0x"]) expect(parseDouble(text)).toBeUndefined();
  });
});
