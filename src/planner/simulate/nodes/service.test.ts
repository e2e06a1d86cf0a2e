/** What a service does with the calls of its routes. */
import { expect, test } from "bun:test";
import { runOf } from "../testing.ts";

const delay = (ms: number) => ({ kind: "delay", time: { mean: `${ms}ms`, cv: 0 } });

/** The time that one request takes, with so many things to call. */
const meanOf = (calls: readonly object[], over: object = {}) =>
  runOf({
    clients: { all: { to: "app", rate: "10/s" } },
    nodes: {
      app: { kind: "service", cores: 1000, time: "0ms", calls },
      a: delay(30),
      b: delay(50),
      c: { ...delay(7), ...over },
    },
    run: { duration: "5s", warmUp: "0s" },
  }).total.latency.meanMs;

const ROWS: [name: string, calls: object[], ms: number][] = [
  ["calls are made one after the other", [{ to: "a" }, { to: "b" }, { to: "c" }], 87],
  ["several times means one after the other", [{ to: "a", times: 3 }], 90],
  ["parallel calls beside each other are made at once", ["a", "b"].map((to) => ({ to, parallel: true })), 50],
  ["several times in parallel is all at once", [{ to: "a", times: 3, parallel: true }], 30],
  [
    "what is not parallel waits for those that are",
    [{ to: "a", parallel: true }, { to: "b", parallel: true }, { to: "c" }],
    57,
  ],
  ["a call without a chance is not made", [{ to: "a", share: 0 }, { to: "c" }], 7],
];
for (const [name, calls, ms] of ROWS) test(name, () => expect(meanOf(calls)).toBeCloseTo(ms, 6));

test("the answer does without an optional call that failed, also beside one that did not", () => {
  const { total } = runOf({
    clients: { all: { to: "app", rate: "10/s" } },
    nodes: {
      app: {
        kind: "service",
        time: "1ms",
        calls: [
          { to: "b", parallel: true },
          { to: "bad", parallel: true, optional: true },
        ],
      },
      b: delay(5),
      bad: { kind: "service", time: "1ms", errors: 1 },
    },
    run: { duration: "5s", warmUp: "0s" },
  });
  expect(total.errors).toEqual({});
});
