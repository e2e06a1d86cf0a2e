/** Vectors of the published tests: knative/serving, pkg/autoscaler/scaling/autoscaler_test.go. */
import { describe, expect, test } from "bun:test";
import { type KpaSpec, kpa, kpaStep, type Panic } from "./kpa.ts";
import { LIMITS, observedOf } from "./testing.ts";

const spec = (target: number): KpaSpec => ({ target, upRateMax: 10, downRateMax: 10 });

describe("one tick of the KPA", () => {
  const rows: [what: string, target: number, stable: number, panic: number, ready: number, pods: number][] = [
    ["stable mode, no change", 10, 50, 50, 5, 5],
    ["stable mode grows", 10, 100, 10, 1, 10],
    ["stable mode shrinks", 10, 50, 50, 8, 5],
    ["no traffic asks for none", 10, 0, 0, 1, 0],
    ["the panic view takes precedence", 10, 50, 100, 1, 10],
    ["growth is bounded to ten times", 10, 1000, 1001, 1, 10],
    ["and goes on from there", 10, 1000, 1001, 10, 100],
    ["without pods it counts one", 10, 1000, 888, 0, 10],
    ["shrinking is bounded to a tenth", 10, 1, 1, 100, 10],
    ["100 in flight at 70 % of 10", 7, 100, 100, 10, 15],
  ];
  for (const [what, target, stable, panic, ready, pods] of rows) {
    test(`${what}: ${pods}`, () => {
      expect(kpaStep(spec(target), undefined, { stable, panic, ready }, 0).count).toBe(pods);
    });
  }

  test("a small growth rate still adds one pod", () => {
    const slow = { target: 1, upRateMax: 1.1, downRateMax: 10 };
    expect(kpaStep(slow, undefined, { stable: 3, panic: 3.1, ready: 2 }, 0).count).toBe(3);
  });

  test("a panic lasts until a whole stable window has passed without reason, then shrinks at once", () => {
    let panic: Panic | undefined;
    const counts = (
      [
        [0, 100, 1000, 10],
        [30_000, 1, 1, 10],
        [61_000, 1, 1, 10],
      ] as const
    ).map(([atMs, stable, short, ready]) => {
      const step = kpaStep(spec(10), panic, { stable, panic: short, ready }, atMs);
      panic = step.panic;
      return step.count;
    });
    expect([counts, panic]).toEqual([[100, 100, 1], undefined]);
  });

  test("in a panic the larger of both views counts", () => {
    const panic = { sinceMs: -5000, pods: 5 };
    expect(kpaStep(spec(1), panic, { stable: 50, panic: 30, ready: 5 }, 0).count).toBe(50);
    expect(kpaStep(spec(1), panic, { stable: 20, panic: 30, ready: 5 }, 0).count).toBe(30);
  });

  test("an exponential rise is followed tick by tick", () => {
    let panic: Panic | undefined;
    const counts = [6, 36, 216, 1296].map((load, index) => {
      const step = kpaStep(spec(1), panic, { stable: load, panic: load, ready: 6 ** index }, index * 1000);
      panic = step.panic;
      return step.count;
    });
    expect(counts).toEqual([6, 36, 216, 1296]);
  });
});

test("a service of several pods keeps its scale until there is a stable window of data", () => {
  const autoscaler = kpa(LIMITS, 5);
  const at = (nowMs: number): number => autoscaler.step(observedOf(5, { inFlight: 7 }), nowMs);
  expect([at(2000), at(60_000), at(62_000)]).toEqual([5, 5, 2]);
});

test("without data it holds", () => {
  expect(kpa(LIMITS, 5).step(observedOf(5), 2000)).toBe(5);
});
