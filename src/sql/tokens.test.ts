import { describe, expect, test } from "bun:test";
import { KEYWORDS, Lexer } from "./tokens.ts";

const KINDS = ["word", "quoted", "text", "number", "parameter", "operator"];

function shown(text: string, backslashes = false): string[] {
  const tokens = new Lexer().read(text, backslashes);
  return Array.from({ length: tokens.count }, (_, at) => `${KINDS[tokens.kind(at)]}:${tokens.raw(at)}`);
}

describe("the lexer cuts", () => {
  test.each([
    ["SELECT a.b", ["word:SELECT", "word:a", "operator:.", "word:b"]],
    ["a$1$b", ["word:a$1$b"]],
    ["$12+$3", ["parameter:$12", "operator:+", "parameter:$3"]],
    ["'it''s' \"a\"\"b\"", ["text:'it''s'", 'quoted:"a""b"']],
    ["'a\\' b", ["text:'a\\'", "word:b"]],
    ["E'a\\' b' c", ["text:E'a\\' b'", "word:c"]],
    ["e'a'\n  'b\\'c' d", ["text:e'a'\n  'b\\'c'", "word:d"]],
    ["'a' 'b'", ["text:'a'", "text:'b'"]],
    [
      "U&'d\\0061' u&\"x\" B'01' X'ff' N'n'",
      ["text:U&'d\\0061'", 'quoted:u&"x"', "text:B'01'", "text:X'ff'", "text:N'n'"],
    ],
    ["$$a;b$$ $t$ $$ $u$ $t$;", ["text:$$a;b$$", "text:$t$ $$ $u$ $t$", "operator:;"]],
    ["a /* x /* y */ z */ b -- c ;\nd", ["word:a", "word:b", "word:d"]],
    [
      "1.5e-3-2 .5 1..3",
      [
        "number:1.5e-3",
        "operator:-",
        "number:2",
        "number:.5",
        "number:1",
        "operator:.",
        "operator:.",
        "number:3",
      ],
    ],
    ["0x1e-5", ["number:0x1e", "operator:-", "number:5"]],
    ["a<>b->>'c'--d", ["word:a", "operator:<>", "word:b", "operator:->>", "text:'c'"]],
    ["a+/* c */b", ["word:a", "operator:+", "word:b"]],
    ["größe ИМЯ", ["word:größe", "word:ИМЯ"]],
  ])("%s", (text, expected) => expect(shown(text)).toEqual(expected));

  test("backslashes as escapes in plain quotes when the session says so", () =>
    expect(shown("'a\\' b' c", true)).toEqual(["text:'a\\' b'", "word:c"]));
});

test.each(["'a", '"a', "$$a", "$t$ a $$", "/* a /* b */", "E'\\'", "'a''"])(
  "what nobody closes is unfinished: %s",
  (text) => expect(new Lexer().read(text).unfinished).toBe(true),
);

test("a text of any length is read in time that grows with it", () => {
  const lexer = new Lexer();
  const text = `INSERT INTO t VALUES ${"(1, 'abc', $$x$$), ".repeat(100_000)}(2)`;
  const before = performance.now();
  expect(lexer.read(text).count).toBeGreaterThan(800_000);
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(lexer.read("SELECT 1").count).toBe(2);
});

test("each keyword is found, in any case, and nothing else is", () => {
  const lexer = new Lexer();
  for (const word of KEYWORDS) {
    expect(lexer.read(word.toUpperCase()).keyword(0)).toBe(word);
    expect(lexer.read(`${word}s "${word}" '${word}'`).keyword(0)).toBe("");
    expect([1, 2].map((at) => lexer.keyword(at))).toEqual(["", ""]);
  }
});
