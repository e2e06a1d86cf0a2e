/** Reckoning in one's head: what is rounded is said, what is not is not. */
import { describe, expect, test } from "bun:test";
import {
  asItIs,
  BITS_IN_HEAD,
  DAY_IN_HEAD,
  errorOf,
  inHead,
  over,
  plus,
  times,
  YEAR_IN_HEAD,
} from "./mental.ts";

describe("a number to one digit", () => {
  const rows: [value: number, near: number, rounded: string[]][] = [
    [0, 0, []],
    [0.01, 0.01, []],
    [0.7, 0.7, []],
    [1e11, 1e11, []],
    [2_337_963, 2e6, ["2,337,963 -> 2,000,000"]],
    [7.59375, 8, ["7.594 -> 8"]],
  ];
  for (const [value, near, rounded] of rows)
    test(`${value} is ${near}`, () => expect(inHead(value, "count")).toMatchObject({ value: near, rounded }));
});

test("a day has 10^5 seconds, a year 400 days and a byte 10 bits", () => {
  const mental = over(times(inHead(5e13, "bytes"), BITS_IN_HEAD, YEAR_IN_HEAD), DAY_IN_HEAD);
  expect(mental).toEqual({
    value: 2e12,
    words: "50 TB x 10 x 400 / 10^5",
    rounded: ["8 -> 10", "365 -> 400", "86,400 -> 10^5"],
  });
});

test("what was rounded twice is said once", () => {
  const reads = over(inHead(123, "count"), DAY_IN_HEAD);
  expect(plus(reads, reads).rounded).toEqual(["123 -> 100", "86,400 -> 10^5"]);
});

test("cores are not rounded", () => {
  expect(asItIs(16, "count")).toEqual({ value: 16, words: "16", rounded: [] });
});

test("the error is a share of the exact figure, and none beside nothing", () => {
  expect(errorOf(inHead(1e5, "count"), 86_400)).toBeCloseTo(0.1574, 4);
  expect(errorOf(inHead(0, "count"), 0)).toBeUndefined();
});
