/** The simulated gateway does with sockets and time what the gateway does. */
import { expect, test } from "bun:test";
import { runOf } from "../testing.ts";

const RUN = { duration: "30s", warmUp: "0s" };

/** One gateway before one service, with a steady load. */
const site = (gateway: object, service: object, over: object = {}) =>
  runOf({
    clients: { all: { to: "web", rate: "10/s", even: true } },
    nodes: {
      web: { kind: "gateway", to: "app", ...gateway },
      app: { kind: "service", time: { mean: "1ms", cv: 0 }, ...service },
    },
    run: RUN,
    ...over,
  });

test("what begins to answer too late is an error page, and no other target is tried", () => {
  const { total, nodes } = site({ firstByte: "50ms" }, { tasks: 3, time: { mean: "90ms", cv: 0 } });
  expect(Object.keys(total.errors)).toEqual(["first-byte-timeout"]);
  expect(nodes[0]!.counters["retries"]).toBe(0);
});

test("what is cut off before an answer is tried again", () => {
  const { total, nodes } = site({}, { tasks: 3, time: { mean: "90ms", cv: 0 }, timeLimit: "50ms" });
  expect(Object.keys(total.errors)).toEqual(["upstream-closed"]);
  expect(nodes[0]!.counters["retries"]).toBeGreaterThan(100);
});

test("requests are held while the only task is being replaced", () => {
  const faults = [{ kind: "kill-task", at: "10s", node: "app", task: 0 }];
  const { total } = site({}, { startDelay: "2s" }, { faults });
  expect(total.errors).toEqual({});
  expect(total.latency.maxMs).toBeGreaterThan(2500);
});

test("a task that does not come in time is told of", () => {
  const faults = [{ kind: "kill-task", at: "10s", node: "app", task: 0 }];
  const { total } = site({ group: { connections: { hold: "0s" } } }, { startDelay: "2s" }, { faults });
  expect(Object.keys(total.errors).toSorted()).toEqual(["connect-refused", "no-target"]);
});

test("a client that gives up gives its connection back", () => {
  const { total } = site(
    { queueMax: 0, group: { connections: { perTargetMax: 1 } } },
    {},
    {
      clients: { all: { to: "web", rate: "1/s", even: true, timeout: "200ms" } },
      faults: [{ kind: "partition", at: "10s", node: "app", for: "8s" }],
    },
  );
  expect(Object.keys(total.errors)).toEqual(["client-timeout"]);
});
