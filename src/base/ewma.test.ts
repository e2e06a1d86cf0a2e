import { expect, test } from "bun:test";
import { decay, ewma, peakEwma } from "./ewma.ts";

test("after one tau 1/e of the old average is left, after none all of it", () => {
  expect(decay(1000, 1000)).toBeCloseTo(1 / Math.E, 12);
  expect(decay(0, 1000)).toBe(1);
  expect(decay(-5, 1000)).toBe(1);
});

test("the average depends on time passed, not on how many samples came", () => {
  const once = ewma(0, 10, 1000, 500);
  let often = 0;
  for (let i = 0; i < 100; i++) often = ewma(often, 10, 10, 500);
  expect(often).toBeCloseTo(once, 9);
});

test("the average of a constant is that constant", () => {
  expect(ewma(7, 7, 123, 1000)).toBeCloseTo(7, 12);
});

test("the peak form jumps up at once and comes down as the plain one does", () => {
  expect(peakEwma(10, 500, 1, 1000)).toBe(500);
  expect(peakEwma(500, 10, 100, 1000)).toBe(ewma(500, 10, 100, 1000));
});
