import { expect, test } from "bun:test";
import { splitList, splitNames, splitWeighted } from "./list.ts";

test.each([
  ["a, b ,\tc", ["a", "b", "c"]],
  [",, a,,", ["a"]],
  ["", []],
  ['a="b, c", d', ['a="b, c"', "d"]],
  ['"a\\", b", c', ['"a\\", b"', "c"]],
  ['"a, b', ['"a', "b"]],
  ['a, "b\\", c', ["a", '"b\\"', "c"]],
  ['x"y,z"', ['x"y,z"']],
])("%j has the members %j", (value, members) => {
  expect(splitList(value)).toEqual(members);
});

test("names are folded and each is there once", () => {
  expect(splitNames("B, a, b")).toEqual(["b", "a"]);
});

test.each([
  ["a;q=0.5", 0.5],
  ["A ; q=0", 0],
  ["a;x=1;q=0.25 ;y", 0.25],
  ["a;q=1.000", 1],
  ["a;q=2", 1],
  ["a;q=x", 1],
  ["a", 1],
])("%j weighs %d", (value, weight) => {
  expect(splitWeighted(value)).toEqual([{ name: "a", weight }]);
});

test.each([
  '"\\"'.repeat(30_000),
  '\\"'.repeat(30_000),
  `a${" ".repeat(60_000)}b`,
  '"a",'.repeat(20_000),
  `"${'\\",'.repeat(20_000)}`,
  "a,".repeat(30_000),
])("a value of 60 kB costs no more than one pass", (value) => {
  expect(splitList(value).length).toBeGreaterThan(0);
});
