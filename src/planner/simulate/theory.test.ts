/** Where theory has an answer the simulator gives it. The long proof is bench/simulate-theory.ts. */
import { describe, expect, test } from "bun:test";
import { closedNetwork, ggc, mmc, openNetwork, responseQuantile } from "../queueing/index.ts";
import { queueDesign, runOf } from "./testing.ts";

/** Relative difference that chance makes in a run of half a million requests at these loads, three times over. */
const NEAR = 0.03;

function near(got: number, theory: number, tolerance = NEAR): void {
  expect(got / theory).toBeGreaterThan(1 - tolerance);
  expect(got / theory).toBeLessThan(1 + tolerance);
}

describe("one queue", () => {
  for (const [rateRps, servers] of [
    [50, 1],
    [70, 1],
    [240, 3],
  ] as const) {
    test(`M/M/${servers} at ${rateRps}/s of 10 ms: mean, p99, utilisation`, () => {
      const { total, nodes } = runOf(queueDesign(rateRps, servers));
      const queue = mmc({ rateRps, serviceMs: 10, servers });
      if (queue.kind === "unstable") throw new Error("unstable");
      near(total.latency.meanMs, queue.responseMs);
      near(total.latency.p99Ms, responseQuantile(queue, 0.99), 0.05);
      near(nodes[0]!.utilisation, queue.utilisation, 0.01);
      near(nodes[0]!.queued, queue.queued, 0.06);
    });
  }

  for (const cv of [0, 0.5, 2]) {
    test(`M/G/1 with a cv of ${cv} waits by Pollaczek and Khinchine`, () => {
      const { total } = runOf(queueDesign(60, 1, { time: { mean: "10ms", cv } }));
      const queue = ggc({ rateRps: 60, serviceMs: 10, servers: 1, arrivalCv: 1, serviceCv: cv });
      if (queue.kind === "unstable") throw new Error("unstable");
      near(total.latency.meanMs, queue.responseMs, cv > 1 ? 0.06 : NEAR);
    });
  }
});

test("two stations in a row are a Jackson network", () => {
  const design = {
    ...queueDesign(60, 1, { calls: ["db"] }),
    nodes: {
      app: { kind: "service", cores: 1, time: "10ms", calls: ["db"], queueMax: 1_000_000 },
      db: { kind: "database", cores: 1, read: "12ms", queueMax: 1_000_000 },
    },
  };
  const network = openNetwork(60, [
    { name: "app", visits: 1, serviceMs: 10, servers: 1 },
    { name: "db", visits: 1, serviceMs: 12, servers: 1 },
  ]);
  if (network.kind === "unstable") throw new Error("unstable");
  near(runOf(design).total.latency.meanMs, network.responseMs, 0.04);
});

test("users who think are a closed network", () => {
  const { total } = runOf({
    clients: { all: { to: "app", users: 20, think: "100ms", timeout: "0" } },
    nodes: { app: { kind: "service", cores: 1, time: "10ms" } },
    run: { duration: "1500s", warmUp: "50s", window: "60s" },
  });
  const network = closedNetwork(20, 100, [{ name: "app", visits: 1, serviceMs: 10, servers: 1 }]);
  near(total.throughputRps, network.throughputRps, 0.01);
  near(total.latency.meanMs, network.responseMs);
});
