/** Vectors of the published tests: kubernetes/kubernetes, pkg/controller/podautoscaler/replica_calculator_test.go. */
import { describe, expect, test } from "bun:test";
import { hpa, hpaReplicas, type PodMetrics } from "./hpa.ts";
import { LIMITS, observedOf } from "./testing.ts";

describe("replicas for a utilisation", () => {
  const pods = (measured: readonly number[], missing = 0, unready = 0): PodMetrics => {
    return { measured, missing, unready };
  };
  const same = (count: number, value: number): PodMetrics => pods(Array<number>(count).fill(value));
  const rows: [what: string, metrics: PodMetrics, target: number, current: number, replicas: number][] = [
    ["scale up", pods([0.3, 0.5, 0.7]), 0.3, 3, 5],
    ["scale up less for an unready pod", pods([0.5, 0.7], 0, 1), 0.3, 3, 4],
    ["no scale up when unready pods bring it inside the tolerance", pods([0.4], 0, 2), 0.3, 3, 3],
    ["failed pods are not there", pods([0.5, 0.7]), 0.3, 2, 4],
    ["scale down", pods([0.1, 0.3, 0.5, 0.25, 0.25]), 0.5, 5, 3],
    ["unready pods do not count when shrinking", pods([0.1, 0.3, 0.5], 0, 2), 0.5, 5, 2],
    ["pending pods do not count when shrinking", pods([0.1], 0, 4), 0.5, 5, 1],
    ["50 at 90 of 75", same(50, 90), 75, 50, 60],
    ["4 at 82 of 75", same(4, 82), 75, 4, 4],
    ["5 at 50 of 100", same(5, 50), 100, 5, 3],
    ["3 at 111 of 100", same(3, 111), 100, 3, 4],
    ["10 at 89 of 100", same(10, 89), 100, 10, 9],
    ["a missing pod counts as idle when growing", pods([1, 1], 1), 0.3, 3, 7],
    ["a missing pod counts as full when shrinking", pods([0.2, 0.2, 0.2], 1), 0.75, 4, 3],
    ["a missing pod that turns the verdict round holds", pods([0.4, 0.4, 0.4], 1), 0.5, 4, 4],
  ];
  for (const [what, metrics, target, current, replicas] of rows) {
    test(`${what}: ${replicas}`, () => expect(hpaReplicas(metrics, target, current)).toBe(replicas));
  }

  test("there is none without metrics", () => {
    expect(hpaReplicas(pods([], 3, 1), 0.5, 4)).toBeUndefined();
  });
});

/** Scrape and decision in turn, every 15 s, of a service that does not obey. */
function decided(load: readonly number[], wanted: number): number[] {
  const autoscaler = hpa(LIMITS);
  return load.map((cpu, index) => {
    const nowMs = index * 15_000;
    autoscaler.step(observedOf(wanted, { cpu }), nowMs - 7500);
    return autoscaler.step(observedOf(wanted, { cpu }), nowMs);
  });
}

describe("the loop", () => {
  test("grows by the larger of +100 % and +4 pods at once", () => {
    expect([decided([7], 2), decided([7], 10)]).toEqual([[6], [20]]);
  });

  test("shrinks to the highest recommendation of five minutes", () => {
    const counts = decided([0.7, ...Array<number>(20).fill(0.07)], 10);
    expect([counts[1], counts[19], counts[20]]).toEqual([10, 10, 1]);
  });

  test("holds without metrics", () => {
    const autoscaler = hpa(LIMITS);
    const counts = [7500, 15_000].map((nowMs) => autoscaler.step(observedOf(4), nowMs));
    expect(counts).toEqual([4, 4]);
  });
});
