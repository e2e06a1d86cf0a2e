import { expect, test } from "bun:test";
import { splitList, splitNames, splitWeighted } from "../list.ts";

test.each([
  ["a, b", ["a", "b"]],
  [" a\t,\tb ", ["a", "b"]],
  [",, a ,,b,", ["a", "b"]],
  ["", []],
  [" \t , ", []],
  ['a="x, y", b', ['a="x, y"', "b"]],
  [String.raw`a="x\", y", b`, [String.raw`a="x\", y"`, "b"]],
  ['a="x, b', ['a="x', "b"]],
  [String.raw`a="x\", b="y"`, [String.raw`a="x\", b="y"`]],
  [String.raw`a="x\", b`, [String.raw`a="x\"`, "b"]],
  ["a\u00A0, b", ["a\u00A0", "b"]],
])("the list %j has the members %j (RFC 9110 §5.6.1)", (value, members) => {
  expect(splitList(value)).toEqual(members);
});

test("names are folded, and each counts once", () => {
  expect(splitNames("Accept, ACCEPT,accept-Language")).toEqual(["accept", "accept-language"]);
});

test.each([
  ["gzip;q=0.5", 0.5],
  ["gzip ; q=0", 0],
  ["gzip;Q=0.25;x=1", 0.25],
  ["gzip;q=1.5", 1],
  ["gzip;q=many", 1],
  ["gzip", 1],
])("%j weighs %p (RFC 9110 §12.4.2)", (member, weight) => {
  expect(splitWeighted(member)).toEqual([{ name: "gzip", weight }]);
});

// Quadratic, each of these would take longer than a test may.
test.each([
  ["blanks", `a${" ".repeat(128_000)}b`, 1],
  ["escaped quotes", `"${String.raw`\"`.repeat(64_000)}`, 1],
  ["commas", ",".repeat(128_000), 0],
])("a value of 128 KB of %s costs no more than its length", (_, value, members) => {
  expect(splitList(value)).toHaveLength(members);
});
