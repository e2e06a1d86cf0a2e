import { expect, test } from "bun:test";
import { asBytes, text } from "./bytes.ts";
import { knownText } from "./known-texts.ts";

test("a text is the same whether it is known or not, and whatever came between", () => {
  const words = Array.from({ length: 5000 }, (_, i) => `max-age=${i % 700}, ${"x".repeat(i % 120)}`);
  for (const word of [...words, ...words.toReversed()]) {
    const bytes = asBytes(`: ${word}\r\n`);
    expect(knownText(bytes, 2, bytes.length - 2)).toBe(text(bytes, 2, bytes.length - 2));
  }
});

test("nothing is the empty text", () => {
  expect(knownText(asBytes("abc"), 1, 1)).toBe("");
});
