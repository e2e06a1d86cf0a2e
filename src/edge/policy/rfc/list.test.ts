import { expect, test } from "bun:test";
import { splitList } from "../list.ts";

test.each([
  [" a\t,\tb ", ["a", "b"]],
  [" \t , ", []],
  [String.raw`a="x\", y", b`, [String.raw`a="x\", y"`, "b"]],
  [String.raw`a="x\", b="y"`, [String.raw`a="x\", b="y"`]],
  [String.raw`a="x\", b`, [String.raw`a="x\"`, "b"]],
  ["a\u00A0, b", ["a\u00A0", "b"]],
])("the list %j has the members %j (RFC 9110 §5.6.1)", (value, members) => {
  expect(splitList(value)).toEqual(members);
});

test.each([
  ["blanks", `a${" ".repeat(128_000)}b`, 1],
  ["escaped quotes", `"${String.raw`\"`.repeat(64_000)}`, 1],
  ["commas", ",".repeat(128_000), 0],
])("a value of 128 KB of %s costs no more than its length", (_, value, members) => {
  expect(splitList(value)).toHaveLength(members);
});
