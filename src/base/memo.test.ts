import { expect, test } from "bun:test";
import { memoized } from "./memo.ts";

test("a text is worked out once, and again after it was forgotten with all others", () => {
  const made: string[] = [];
  const upper = memoized(2, (text) => {
    made.push(text);
    return text.toUpperCase();
  });
  expect(["a", "b", "a", "c", "a"].map(upper)).toEqual(["A", "B", "A", "C", "A"]);
  expect(made).toEqual(["a", "b", "c", "a"]);
});
