import { expect, test } from "bun:test";
import { SCAN_MAX } from "./least-requests.ts";
import { begin, equalTargets, group, targets } from "./testing.ts";

test("the target with the fewest requests in flight is picked", () => {
  const under = group("least-requests", equalTargets(4));
  under.inFlight.splice(0, 4, 3, 2, 1, 2);
  expect([0, 0, 0].map(() => under.balancer.pick(0, -1))).toEqual([2, 2, 2]);
});

test("equally busy targets take turns", () => {
  const { balancer } = group("least-requests", equalTargets(3));
  expect([0, 0, 0, 0].map(() => balancer.pick(0, -1))).toEqual([0, 1, 2, 0]);
});

test("requests that stay in flight fill up in proportion to weight", () => {
  const under = group("least-requests", targets(3, 2, 1));
  for (let request = 0; request < 60; request++) begin(under, under.balancer.pick(0, -1));
  expect(under.inFlight.slice(0, 3)).toEqual([30, 20, 10]);
});

test("a group larger than the scan still shares evenly", () => {
  const under = group("least-requests", equalTargets(SCAN_MAX * 3));
  for (let request = 0; request < SCAN_MAX * 9; request++) begin(under, under.balancer.pick(0, -1));
  expect(Math.max(...under.inFlight)).toBe(3);
});

test("a group larger than the scan goes on from the last winner to find idle targets", () => {
  const size = SCAN_MAX * 3;
  const under = group("least-requests", equalTargets(size));
  under.inFlight.splice(0, size, ...Array<number>(size).fill(5));
  under.inFlight[size - 1] = 0;
  const picked = Array.from({ length: size }, () => under.balancer.pick(0, -1));
  expect(picked).toContain(size - 1);
});
