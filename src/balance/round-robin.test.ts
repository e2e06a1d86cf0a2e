import { expect, test } from "bun:test";
import { equalTargets, group, targets } from "./testing.ts";

test("targets take turns in order, whatever their weights", () => {
  const { balancer } = group("round-robin", targets(9, 1, 1));
  expect([1, 2, 3, 4].map(() => balancer.pick(0, -1))).toEqual([0, 1, 2, 0]);
});

test("an excluded target's turn goes to the next", () => {
  const { balancer } = group("round-robin", equalTargets(3));
  expect([1, 0, 0].map((exclude) => balancer.pick(0, exclude))).toEqual([0, 1, 2]);
});

test("a target at half its warmth takes every second of its turns", () => {
  const under = group("round-robin", equalTargets(2));
  under.warmth[1] = 0.5;
  expect(Array.from({ length: 6 }, () => under.balancer.pick(0, -1))).toEqual([0, 0, 1, 0, 0, 1]);
});

test("a change of the set goes on where the turn was", () => {
  const { balancer } = group("round-robin", equalTargets(4));
  balancer.pick(0, -1);
  balancer.pick(0, -1);
  balancer.setTargets(equalTargets(3));
  expect(balancer.pick(0, -1)).toBe(2);
});
