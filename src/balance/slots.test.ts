import { expect, test } from "bun:test";
import { columnsOf } from "./columns.ts";
import { endsOf, ownerAt } from "./slots.ts";
import { targets } from "./testing.ts";

const ends = endsOf(columnsOf(targets(1, 2, 3)));
const owners = (exclude: number, fractions: number[]): number[] =>
  fractions.map((fraction) => ownerAt(ends, fraction, exclude));

test("each position owns a stretch of its weight", () => {
  expect(owners(-1, [0, 0.5 / 6, 1 / 6, 2.9 / 6, 3 / 6, 0.999])).toEqual([0, 0, 1, 1, 2, 2]);
});

test("an excluded stretch is cut out and the line closed up", () => {
  expect(owners(1, [0, 0.24, 0.25, 0.999])).toEqual([0, 0, 2, 2]);
});

test("the first and the last stretch can be cut out too", () => {
  expect(owners(0, [0, 0.39, 0.4])).toEqual([1, 1, 2]);
  expect(owners(2, [0, 0.34, 0.999])).toEqual([0, 1, 1]);
});
