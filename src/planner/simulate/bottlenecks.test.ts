/** Which node limits a design, at which load, whatever the load of the run. */
import { describe, expect, test } from "bun:test";
import { runOf } from "./testing.ts";

/** An app of two cores and 10 ms, full at 200/s, before a database of one core and 2 ms, full at 500/s. */
const site = (rateRps: number, over: object = {}) =>
  runOf({
    clients: { all: { to: "app", rate: `${rateRps}/s`, timeout: "1s" } },
    nodes: {
      app: { kind: "service", cores: 2, time: "10ms", calls: ["db"], queueMax: 50, ...over },
      db: { kind: "database", cores: 1, read: "2ms" },
    },
    run: { duration: "120s", warmUp: "20s" },
  }).bottlenecks;

describe("the load at which a node is full", () => {
  for (const rateRps of [70, 150, 300, 1000])
    test(`is told from a run at ${rateRps}/s`, () => {
      const [first, second] = site(rateRps);
      expect([first?.node, second?.node]).toEqual(["app", "db"]);
      expect(first!.fullAtLoad * rateRps).toBeWithin(190, 210);
      expect(second!.fullAtLoad * rateRps).toBeWithin(475, 525);
    });

  test("is told when all answers come too late", () => {
    const [first, second] = site(300, { queueMax: 10_000 });
    expect(first!.fullAtLoad * 300).toBeWithin(190, 210);
    expect(second!.fullAtLoad * 300).toBeWithin(475, 525);
  });
});

test("a primary full of writes is found behind replicas at rest", () => {
  const { bottlenecks, nodes } = runOf({
    clients: { all: { to: "db", rate: "200/s", routes: { write: 9, read: 1 } } },
    nodes: { db: { kind: "database", cores: 1, read: "1ms", write: "5ms", replicas: 3 } },
    run: { duration: "120s", warmUp: "20s" },
  });
  expect(bottlenecks[0]).toMatchObject({ node: "db", part: "primary", utilisation: expect.closeTo(0.9, 1) });
  expect(nodes[0]!.utilisation).toBeLessThan(0.6);
});
