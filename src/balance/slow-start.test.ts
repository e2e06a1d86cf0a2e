import { describe, expect, test } from "bun:test";
import { SlowStart, warmthAt } from "./slow-start.ts";

const WINDOW_MS = 30_000;

/** A group of targets a, b, c of which a and b have been healthy since long before `nowMs` = 100 s. */
function runningGroup(): SlowStart {
  const slowStart = new SlowStart(WINDOW_MS);
  slowStart.setTargets(["a", "b", "c"]);
  slowStart.setHealthy([0, 1], 0);
  return slowStart;
}

describe("the curve", () => {
  test("is linear from a tenth to the whole", () => {
    expect([0, 6_000, 15_000, 30_000, 99_000].map((age) => warmthAt(age, WINDOW_MS, 1))).toEqual([
      0.1, 0.2, 0.5, 1, 1,
    ]);
  });

  test("rises faster at first with more aggression", () => {
    expect(warmthAt(7_500, WINDOW_MS, 2)).toBe(0.5);
  });

  test("takes the first second as a whole one", () => {
    expect(warmthAt(1, 5_000, 1)).toBe(0.2);
  });
});

describe("slow start", () => {
  test("does not apply while the group starts", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([0, 1, 2], 5_000);
    expect([0, 1, 2].map((index) => slowStart.warmth(index, 5_000))).toEqual([1, 1, 1]);
    expect(slowStart.reason(2, 5_000)).toBe("group-start");
  });

  test("applies to a target that joins warm peers", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([0, 1, 2], 100_000);
    expect([0, 1, 2].map((index) => slowStart.warmth(index, 115_000))).toEqual([1, 1, 0.5]);
    expect(slowStart.reason(2, 115_000)).toBe("warming");
    expect(slowStart.reason(2, 130_000)).toBe("warmed-up");
  });

  test("applies again to a target that was unhealthy", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([0], 100_000);
    slowStart.setHealthy([0, 1], 101_000);
    expect(slowStart.warmth(1, 101_000)).toBe(0.1);
  });

  test("does not apply without a warm peer that stays", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([2], 100_000);
    expect(slowStart.warmth(2, 100_000)).toBe(1);
    expect(slowStart.reason(2, 100_000)).toBe("no-warm-peer");
  });

  test("does not apply when all come back together", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([], 100_000);
    slowStart.setHealthy([0, 1], 101_000);
    expect([0, 1].map((index) => slowStart.warmth(index, 101_000))).toEqual([1, 1]);
  });

  test("goes on when the same healthy targets are told again", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([0, 1, 2], 100_000);
    slowStart.setHealthy([2, 1, 0], 110_000);
    expect(slowStart.warmth(2, 115_000)).toBe(0.5);
  });

  test("follows a target to its new number", () => {
    const slowStart = runningGroup();
    slowStart.setHealthy([0, 1, 2], 100_000);
    slowStart.setTargets(["c", "a"]);
    expect([0, 1].map((index) => slowStart.warmth(index, 115_000))).toEqual([0.5, 1]);
  });

  test("is off with a window of 0", () => {
    const slowStart = new SlowStart(0);
    slowStart.setTargets(["a", "b"]);
    slowStart.setHealthy([0], 0);
    slowStart.setHealthy([0, 1], 100_000);
    expect(slowStart.warmth(1, 100_000)).toBe(1);
    expect(slowStart.reason(1, 100_000)).toBe("off");
  });

  test("counts a target that is used though unhealthy in full", () => {
    expect(runningGroup().warmth(2, 100_000)).toBe(1);
    expect(runningGroup().reason(2, 100_000)).toBe("not-healthy");
  });
});
