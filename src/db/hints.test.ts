import { describe, expect, test } from "bun:test";
import { type Hints, hintSettings, takeHints, withHints } from "./hints.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import { factsText } from "./testing.ts";

describe("positions", () => {
  test.each(["0/0", "0/16B3748", "16/B374D848", "FFFFFFFF/FFFFFFFF"])("%s is read and written", (text) => {
    expect(formatLsn(parseLsn(text) ?? -1n)).toBe(text);
  });

  test.each(["", "0", "0/", "/1", "0/123456789", "g/1", "0/1 "])('"%s" is none', (text) => {
    expect(parseLsn(text)).toBeUndefined();
  });
});

describe("hints", () => {
  const all: Hints = { consistency: "bounded", after: 0x16b3748n, maxLagMs: 200, target: "replica" };

  test("stand in front of the text, and are taken off it", () => {
    const text = withHints("SELECT 1", all);
    expect(text).toBe(
      "/* tenfold: consistency=bounded; after=0/16B3748; max-lag=200ms; target=replica */ SELECT 1",
    );
    expect(takeHints(text)).toEqual({ hints: all, text: "SELECT 1" });
  });

  test("none leave the text as it is", () => {
    expect(withHints("SELECT 1", {})).toBe("SELECT 1");
    expect(takeHints("/* mine */ SELECT 1")).toEqual({ hints: {}, text: "/* mine */ SELECT 1" });
  });

  test("unknown keys and bad values are left out", () => {
    const { hints } = takeHints(
      "/* tenfold: after=nonsense; shard=3; toString=1; target=replica; consistency */ x",
    );
    expect(hints).toEqual({ target: "replica" });
  });

  test("a comment that never ends is none", () => {
    const text = `/* tenfold: ${"a".repeat(500)} */ SELECT 1`;
    expect(takeHints(text)).toEqual({ hints: {}, text });
  });

  test("as settings each key is set or emptied", () => {
    expect(hintSettings({ after: 1n })).toBe(
      "SET tenfold.consistency = ''; SET tenfold.after = '0/1'; SET tenfold.max_lag = ''; SET tenfold.target = ''",
    );
  });

  test("are a comment to the lexer: facts do not change", () => {
    expect(factsText(withHints("SELECT f(1)", all))).toEqual(factsText("SELECT f(1)"));
  });
});
