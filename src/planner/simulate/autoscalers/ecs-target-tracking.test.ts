/** Rules of the Application Auto Scaling user guide, each as a row or a sentence. */
import { describe, expect, test } from "bun:test";
import { averageCpu, type Cooldowns, ecsStep, ecsTargetTracking, type Point } from "./ecs-target-tracking.ts";
import { LIMITS, observedOf } from "./testing.ts";

const MINUTE_MS = 60_000;

const repeated = (count: number, point: Point): Point[] => Array<Point>(count).fill(point);

/** Capacity after one minute with these points at a target of 70. */
function after(points: readonly Point[], before: Cooldowns = {}, deploying = false): number {
  return ecsStep({ points, target: 70, current: 10, deploying }, before, 100 * MINUTE_MS).count;
}

describe("the alarms", () => {
  const rows: [what: string, points: readonly Point[], count: number][] = [
    ["three points above grow in proportion, rounded up", repeated(3, 105), 15],
    ["rounding never adds too little", repeated(3, 71), 11],
    ["two points above do nothing", [60, 105, 105], 10],
    ["a gap among three is not high", [105, undefined, 105], 10],
    ["exactly the target is not high", repeated(3, 70), 10],
    ["fifteen points below 90 % shrink in proportion", repeated(15, 35), 5],
    ["rounding never removes too much", repeated(15, 36), 6],
    ["fourteen points do nothing", repeated(14, 35), 10],
    ["fifteen between 90 % and the target do nothing", repeated(15, 64), 10],
    ["a gap among fifteen is not low", [...repeated(7, 35), undefined, ...repeated(7, 35)], 10],
    ["no data does nothing", repeated(15, undefined), 10],
  ];
  for (const [what, points, count] of rows)
    test(`${what}: ${count}`, () => expect(after(points)).toBe(count));
});

describe("the cooldowns", () => {
  const out = { atMs: 96 * MINUTE_MS, added: 2 };

  test("a larger growth within five minutes adds only what the first did not: 3 after 2 is 1", () => {
    expect(after(repeated(3, 91), { out })).toBe(11);
  });

  test("a growth that is no larger waits", () => {
    expect(after(repeated(3, 84), { out })).toBe(10);
    expect(after(repeated(3, 84), { out: { ...out, atMs: 95 * MINUTE_MS } })).toBe(12);
  });

  test("shrinking waits after either, growing not after shrinking", () => {
    const inMs = 96 * MINUTE_MS;
    expect([after(repeated(15, 35), { inMs }), after(repeated(15, 35), { out })]).toEqual([10, 10]);
    expect(after(repeated(3, 105), { inMs })).toBe(15);
  });

  test("a deploy stops shrinking but not growing", () => {
    expect([after(repeated(15, 35), {}, true), after(repeated(3, 105), {}, true)]).toEqual([10, 15]);
  });
});

test("a point is the mean of one minute, so growth comes at the end of the third", () => {
  const autoscaler = ecsTargetTracking(LIMITS, averageCpu(LIMITS));
  const counts = Array.from({ length: 18 }, (_, index) =>
    autoscaler.step(observedOf(10, { cpu: index % 2 === 0 ? 1 : 0.75 }), (index + 1) * 10_000),
  );
  expect([counts[16], counts[17]]).toEqual([10, 13]);
});
