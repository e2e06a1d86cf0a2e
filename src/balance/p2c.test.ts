import { expect, test } from "bun:test";
import { begin, equalTargets, group, tally, targets } from "./testing.ts";

test("of two targets the less busy is always picked", () => {
  const under = group("p2c", equalTargets(2));
  under.inFlight[0] = 1;
  expect(tally(under, 500).slice(0, 2)).toEqual([0, 500]);
});

test("the busiest target is never picked", () => {
  const under = group("p2c", equalTargets(6));
  under.inFlight[4] = 10;
  expect(tally(under, 2_000)[4]).toBe(0);
});

test("requests that stay in flight lie within a few of even, far closer than random's", () => {
  const spread = (algorithm: "p2c" | "random"): number => {
    const under = group(algorithm, equalTargets(20));
    for (let request = 0; request < 2_000; request++) begin(under, under.balancer.pick(0, -1));
    const counts = under.inFlight.slice(0, 20);
    return Math.max(...counts) - Math.min(...counts);
  };
  expect(spread("p2c")).toBeLessThanOrEqual(6);
  expect(spread("random")).toBeGreaterThan(20);
});

test("an idle group is shared by weight", () => {
  const counts = tally(group("p2c", targets(3, 1)), 10_000);
  expect((counts[0] ?? 0) / 10_000).toBeCloseTo(0.75, 1);
});
