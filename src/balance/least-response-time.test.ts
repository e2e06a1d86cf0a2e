import { expect, test } from "bun:test";
import type { Group } from "./testing.ts";
import { equalTargets, group, tally } from "./testing.ts";

/** Two targets that answered after these times. */
function measured(...latenciesMs: number[]): Group {
  const under = group("least-response-time", equalTargets(latenciesMs.length));
  latenciesMs.forEach((latencyMs, index) => under.balancer.observe(index, latencyMs, false));
  return under;
}

test("of two idle targets the faster is picked", () => {
  expect(measured(20, 10).balancer.pick(0, -1)).toBe(1);
});

test("a faster target is picked until its queue makes up for it", () => {
  const under = measured(30, 10);
  under.inFlight[1] = 1;
  expect(under.balancer.pick(0, -1)).toBe(1);
  under.inFlight[1] = 3;
  expect(under.balancer.pick(0, -1)).toBe(0);
});

test("one slow response is enough to avoid a target", () => {
  const under = measured(10, 9);
  under.balancer.observe(1, 500, false);
  expect(under.balancer.pick(0, -1)).toBe(0);
});

test("a target that was slow is tried again after a while", () => {
  const under = measured(10, 500);
  under.nowMs = 60_000;
  under.balancer.observe(0, 10, false);
  expect(under.balancer.pick(0, -1)).toBe(1);
});

test("a target that refuses at once is not taken for a fast one", () => {
  const under = measured(10, 10);
  under.balancer.observe(1, 0.1, true);
  expect(under.balancer.pick(0, -1)).toBe(0);
});

test("a target without history gets one probe, and no more until it answers", () => {
  const under = group("least-response-time", equalTargets(2));
  under.balancer.observe(0, 10, false);
  const first = under.balancer.pick(0, -1);
  const next = Array.from({ length: 20 }, () => under.balancer.pick(0, -1));
  expect([first, ...new Set(next)]).toEqual([1, 0]);
});

test("a probe that is never answered is followed by another after 10 s", () => {
  const under = group("least-response-time", equalTargets(2));
  under.balancer.observe(0, 10, false);
  expect(
    [0, 9_999, 10_000].map((nowMs) => {
      under.nowMs = nowMs;
      return under.balancer.pick(0, -1);
    }),
  ).toEqual([1, 0, 1]);
});

test("a target ten times slower than its three peers gets few requests", () => {
  const under = measured(10, 10, 10, 100);
  expect(tally(under, 200)[3]).toBeLessThan(10);
});

test("what is known of a target survives a change of the others, under its new number", () => {
  const under = measured(50, 10, 20);
  under.balancer.setTargets(
    equalTargets(3)
      .slice(1)
      .map((target) => ({ ...target, index: target.index - 1 })),
  );
  expect(under.balancer.pick(0, -1)).toBe(0);
});

test("a response of a target that is no candidate any more is ignored", () => {
  const under = measured(10, 20);
  under.balancer.observe(9, 1, false);
  expect(under.balancer.pick(0, -1)).toBe(0);
});
