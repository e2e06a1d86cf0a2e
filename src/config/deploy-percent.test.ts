import { expect, test } from "bun:test";
import { deployBounds, stuckAt } from "./deploy-percent.ts";

const percent = (minHealthyPercent: number, maxPercent: number): Parameters<typeof deployBounds>[0] => ({
  minHealthyPercent,
  maxPercent,
  rollback: true,
});

test("of the wanted tasks the minimum is rounded up and the maximum down", () => {
  expect(deployBounds(percent(50, 125), 3)).toEqual({ min: 2, max: 3 });
  expect(deployBounds(percent(100, 200), 4)).toEqual({ min: 4, max: 8 });
  expect(deployBounds(percent(0, 100), 1)).toEqual({ min: 0, max: 1 });
});

test("a deploy that may neither start nor stop a task is stuck", () => {
  expect(stuckAt(percent(100, 125), 3, 3)).toBe(3);
  expect(stuckAt(percent(100, 125), 4, 8)).toBeUndefined();
  expect(stuckAt(percent(90, 110), 1, 20)).toBe(1);
  expect(stuckAt(percent(100, 100), 0, 0)).toBeUndefined();
});
