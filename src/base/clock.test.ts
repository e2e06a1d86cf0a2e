import { expect, test } from "bun:test";
import { systemClock } from "./clock.ts";

test("the monotonic clock never goes back", () => {
  const readings = Array.from({ length: 1000 }, () => systemClock.nowMs());
  expect(readings).toEqual(readings.toSorted((a, b) => a - b));
});

test("the wall clock counts milliseconds since 1970", () => {
  expect(Math.abs(systemClock.wallMs() - Date.now())).toBeLessThan(1000);
});
