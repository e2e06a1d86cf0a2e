import { expect, test } from "bun:test";
import { equalStrongly, equalWeakly, isStrong } from "../entity-tag.ts";

test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', '"1"', true, true],
  ['"1"', '"2"', false, false],
  ['w/"1"', '"1"', false, false],
  ['""', '""', true, true],
  ["", "", false, false],
  ["", '""', false, false],
])("%j and %j are equal, strongly: %p, weakly: %p (RFC 9110 §8.8.3.2)", (a, b, strongly, weakly) => {
  expect([equalStrongly(a, b), equalStrongly(b, a)]).toEqual([strongly, strongly]);
  expect([equalWeakly(a, b), equalWeakly(b, a)]).toEqual([weakly, weakly]);
});

test("no tag is not a strong one", () => {
  expect([isStrong('"a"'), isStrong('W/"a"'), isStrong("")]).toEqual([true, false, false]);
});
