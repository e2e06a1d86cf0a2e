import { describe, expect, test } from "bun:test";
import { proportional, tasksFor, type Usage } from "./proportional.ts";

function usageOf(changes: Partial<Usage>): Usage {
  return {
    wanted: 1,
    values: [],
    missing: 0,
    unready: 0,
    target: 75,
    fullUse: 100,
    tolerance: 0.1,
    ...changes,
  };
}

function same(count: number, value: number): Pick<Usage, "wanted" | "values"> {
  return { wanted: count, values: Array.from({ length: count }, () => value) };
}

describe("the proportional rule", () => {
  const vectors: [tasks: number, current: number, target: number, expected: number][] = [
    [50, 90, 75, 60],
    [4, 82, 75, 4],
    [5, 50, 100, 3],
    [3, 111, 100, 4],
    [10, 89, 100, 9],
    [10, 91, 100, 10],
    [30, 110, 100, 30],
  ];
  for (const [tasks, current, target, expected] of vectors) {
    test(`gives ${expected} for ${tasks} tasks at ${current} of ${target}`, () => {
      const result = proportional(usageOf({ ...same(tasks, current), target }));
      expect(result.kind === "change" ? result.count : tasks).toBe(expected);
    });
  }

  test("does not add a task for a rounding error of binary fractions", () => {
    expect(tasksFor(0.1 + 0.2, 0.3)).toBe(1);
    expect(tasksFor(30 * 1.1, 1.1)).toBe(30);
  });

  test("holds when a task without data, taken as fully used, brings the ratio inside the tolerance", () => {
    const result = proportional(usageOf({ wanted: 4, values: [60, 60, 60], missing: 1, target: 75 }));
    expect(result).toEqual({ kind: "hold", reason: "missing-data-could-flip", ratio: 0.8 });
  });

  test("shrinks less when a task without data counts as fully used", () => {
    const result = proportional(usageOf({ wanted: 4, values: [20, 20, 20], missing: 1, target: 75 }));
    expect(result).toMatchObject({ kind: "change", count: 3 });
  });

  test("grows less when a task without data counts as idle", () => {
    const result = proportional(usageOf({ wanted: 3, values: [225, 225], missing: 1, target: 75 }));
    expect(result).toMatchObject({ kind: "change", count: 6 });
  });

  test("holds when tasks that are starting turn growth into shrinking", () => {
    const result = proportional(usageOf({ wanted: 4, values: [90, 90], unready: 2, target: 75 }));
    expect(result).toMatchObject({ kind: "hold", reason: "missing-data-could-flip" });
  });

  test("does not count starting tasks when the measured ones ask to shrink", () => {
    const result = proportional(usageOf({ wanted: 4, values: [30, 30], unready: 2, target: 75 }));
    expect(result).toMatchObject({ kind: "change", count: 1 });
  });

  test("has no answer when nothing was measured", () => {
    expect(proportional(usageOf({ wanted: 3, missing: 3 }))).toEqual({ kind: "no-data" });
  });
});
