import { expect, test } from "bun:test";
import type { Group } from "./testing.ts";
import { anyHash, begin, end, equalTargets, group, placements, targets } from "./testing.ts";

/** The bound on one target's requests in flight once a request is placed. */
function shareOf(under: Group, weight: number, totalWeight: number, factor: number): number {
  const total = under.inFlight.reduce((sum, count) => sum + count, 0);
  return Math.max(1, Math.ceil((total * factor * weight) / totalWeight));
}

test("no target ever has more than its bounded share, even for one hot key", () => {
  const weights = [3, 2, 1, 1, 5];
  const under = group("consistent-hash", targets(...weights));
  const open: number[] = [];
  for (let request = 0; request < 5_000; request++) {
    const index = under.balancer.pick(under.random() < 0.7 ? 42 : anyHash(under.random), -1);
    begin(under, index);
    open.push(index);
    expect(under.inFlight[index]).toBeLessThanOrEqual(shareOf(under, weights[index] ?? 0, 12, 1.25));
    if (under.random() < 0.49) end(under, open.splice(Math.floor(under.random() * open.length), 1)[0] ?? -1);
  }
});

test("a hot key spills to the next target of the ring and comes back when its own has room", () => {
  const under = group("consistent-hash", equalTargets(4));
  const own = under.balancer.pick(42, -1);
  under.inFlight[own] = 2;
  const next = under.balancer.pick(42, -1);
  expect(next).not.toBe(own);
  expect(under.balancer.pick(42, -1)).toBe(next);
  under.inFlight[own] = 0;
  expect(under.balancer.pick(42, -1)).toBe(own);
});

test("an infinite factor leaves the plain ring", () => {
  const under = group("consistent-hash", equalTargets(4), Infinity);
  const own = under.balancer.pick(42, -1);
  under.inFlight[own] = 1_000;
  expect(under.balancer.pick(42, -1)).toBe(own);
});

test("a target that leaves moves no key of the others", () => {
  const { balancer } = group("consistent-hash", equalTargets(10));
  const before = placements(balancer, 5_000);
  balancer.setTargets(equalTargets(9));
  const after = placements(balancer, 5_000);
  expect(before.every((target, key) => target === 9 || target === after[key])).toBe(true);
});

test("an excluded target's keys go where they would go if it left", () => {
  const { balancer } = group("consistent-hash", equalTargets(10));
  const excluded = placements(balancer, 2_000, 9);
  balancer.setTargets(equalTargets(9));
  expect(placements(balancer, 2_000)).toEqual(excluded);
});
