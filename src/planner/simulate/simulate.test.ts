import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { Calendar } from "./calendar.ts";
import { cv, type Distribution, meanMs, sampler } from "./distribution.ts";
import { drawer } from "./draw.ts";
import { IntQueue } from "./int-queue.ts";
import { keepsObjective, largestLoad } from "./load.ts";
import { Quantiles } from "./quantiles.ts";
import { designOf, problemsOf, queueDesign, runOf, scenario } from "./testing.ts";

const SHORT = { run: { duration: "30s", warmUp: "5s" } };

describe("a run", () => {
  test("is the same for the same seed, and another for another", () => {
    const [first, again, other] = [1, 1, 2].map((seed) =>
      runOf({ ...queueDesign(80, 1), run: { duration: "60s", seed } }),
    );
    expect(again).toEqual(first);
    expect(other!.total.latency.meanMs).not.toBe(first!.total.latency.meanMs);
  });

  test("loses no request: what came has ended or is in the system", () => {
    const { windows, total } = scenario("retry-storm", { run: { duration: "40s", warmUp: "0s" } });
    const came = windows.reduce((sum, { arrivalsRps }) => sum + arrivalsRps, 0);
    expect(total.requests + windows.at(-1)!.inFlight).toBe(Math.round(came));
    expect(Object.values(total.errors).reduce((sum, count) => sum + count, 0) + total.answered).toBe(
      total.requests,
    );
  });

  test("of an overload ends, bounded, and says why requests failed", () => {
    const { total, bottlenecks } = runOf({
      clients: { all: { to: "app", rate: "5000/s" } },
      nodes: { app: { kind: "service", time: "10ms", queueMax: 100 } },
      ...SHORT,
    });
    expect(total.errors["app-error"] ?? total.errors["app-overloaded"]).toBeGreaterThan(100_000);
    expect(bottlenecks[0]).toMatchObject({ node: "app", utilisation: expect.closeTo(1, 2) });
  });

  test("ends early when its requests are spent", () => {
    const { endedEarly, total } = runOf({
      ...queueDesign(1000, 20),
      run: { duration: "1h", warmUp: "0s", requestsMax: 500 },
    });
    expect([endedEarly, total.requests <= 500]).toEqual(["requests-spent", true]);
  });
});

describe("known laws", () => {
  test("retries without a budget keep a service down; with one it recovers", () => {
    const lastErrors = (name: string) => scenario(name).windows.at(-1)!.errorShare;
    expect([lastErrors("retry-storm"), lastErrors("retry-budget")]).toEqual([1, 0]);
  });

  test("the shortest queue beats taking turns when work is uneven", () => {
    const p99 = (algorithm: string) => scenario(`uneven-work-${algorithm}`).total.latency.p99Ms;
    expect(p99("least-requests")).toBeLessThan(p99("round-robin") * 0.8);
  });

  test("one flush is a stampede, unless misses of one key ask once", () => {
    const [apart, together] = [scenario("stampede"), scenario("coalesced")];
    expect(apart.total.errors["client-timeout"]).toBeGreaterThan(10_000);
    expect(together.total.errorShare).toBe(0);
  });

  describe("one slow target of three", () => {
    const p99 = (algorithm: string) => scenario(`slow-target-${algorithm}`).total.latency.p99Ms;
    const turns = p99("round-robin");

    test("hurts least who looks at response times, then who counts what is in flight", () => {
      expect(p99("least-response-time")).toBeLessThan(p99("least-requests"));
    });
    for (const algorithm of ["least-requests", "p2c", "least-response-time"])
      test(`hurts ${algorithm} less than a tenth as much as taking turns`, () =>
        expect(p99(algorithm)).toBeLessThan(turns / 10));
    for (const algorithm of ["weighted-round-robin", "random", "ip-hash", "hash", "maglev"])
      test(`hurts ${algorithm} as much as taking turns`, () =>
        expect(p99(algorithm)).toBeGreaterThan(turns / 2));
  });

  test("requests in flight are worth less to know the more gateways there are that count only their own", () => {
    const p99 = (count: number) =>
      runOf({
        clients: { all: { to: "web", rate: "850/s" } },
        nodes: {
          web: { kind: "gateway", to: "app", count, group: { algorithm: "least-requests" } },
          app: { kind: "service", tasks: 10, time: "10ms" },
        },
        run: { duration: "60s", warmUp: "10s" },
      }).total.latency.p99Ms;
    expect(p99(30)).toBeGreaterThan(p99(1) * 1.3);
  });

  test("ejecting half of a group that is slow as a whole keeps it down", () => {
    expect(
      scenario("metastable")
        .windows.slice(-10)
        .some(({ errorShare }) => errorShare > 0.5),
    ).toBe(true);
  });
});

describe("faults", () => {
  const site = (fault: object, over: object = {}) =>
    runOf({
      clients: { all: { to: "web", rate: "200/s" } },
      nodes: {
        web: { kind: "gateway", to: "app" },
        app: { kind: "service", tasks: 3, time: "5ms", zones: 3, startDelay: "3s", ...over },
      },
      faults: [fault],
      run: { duration: "40s", warmUp: "5s" },
    });

  test("a task that is killed is replaced, and its requests go to others", () => {
    const { total, nodes } = site({ kind: "kill-task", at: "10s", node: "app", task: 1 });
    expect(total.errorShare).toBeLessThan(0.001);
    expect(nodes.find(({ name }) => name === "app")!.counters).toMatchObject({ tasks: 3, ready: 3 });
  });

  test("a deploy loses nothing", () => {
    const { total } = site({ kind: "deploy", at: "10s", node: "app" });
    expect(total.errors).toEqual({});
  });

  test("a partitioned task is found by its checks and comes back", () => {
    const { windows } = site({ kind: "partition", at: "10s", node: "app", task: 0, for: "10s" });
    expect(windows.at(-1)).toMatchObject({ errorShare: 0 });
  });

  test("a lost primary fails writes until a replica is promoted", () => {
    const { windows, total } = runOf({
      clients: { all: { to: "db", rate: "200/s", routes: { read: 1, write: 1 } } },
      nodes: { db: { kind: "database", read: "2ms", replicas: 2, failover: "7s" } },
      faults: [{ kind: "kill-primary", at: "10s", node: "db" }],
      run: { duration: "40s", warmUp: "5s" },
    });
    expect(total.errors["primary-down"]).toBeGreaterThan(500);
    expect(total.errors["primary-down"]).toBeLessThan(900);
    expect(windows.at(-1)!.errorShare).toBe(0);
  });
});

test("a service scales with its load by the production rule, and back", () => {
  const { scaling, total } = runOf({
    clients: {
      all: {
        to: "web",
        points: [
          ["0s", "20/s"],
          ["30s", "20/s"],
          ["31s", "200/s"],
          ["90s", "200/s"],
        ],
      },
    },
    nodes: {
      web: { kind: "gateway", to: "app", group: { algorithm: "least-requests" } },
      app: {
        kind: "service",
        tasks: 2,
        time: "50ms",
        startDelay: "1s",
        autoscale: { min: 2, max: 40, inFlight: 0.7 },
      },
    },
    run: { duration: "90s", warmUp: "5s" },
  });
  expect(scaling.at(-1)!.to).toBeGreaterThanOrEqual(14);
  expect(scaling[0]!.atMs).toBeLessThan(36_000);
  expect(total.errorShare).toBe(0);
});

test("the greatest load of a queue is where theory puts it", () => {
  const design = designOf({
    ...queueDesign(50, 1),
    run: { duration: "600s", warmUp: "60s", objective: { p99: "92ms" } },
  });
  // ln(100) / (0.1 - l) = 92 ms at l = 49.9/s.
  const { factor, tried } = largestLoad(design);
  expect(factor).toBeGreaterThan(0.9);
  expect(factor).toBeLessThan(1.1);
  expect(tried.every(({ keeps, result }) => keeps === keepsObjective(result))).toBe(true);
});

describe("what people write is checked, all at once", () => {
  const nodes = { web: { kind: "gateway", to: "app" }, app: { kind: "service", time: "5ms" } };
  const clients = { all: { to: "web", rate: "10/s" } };
  const rows: [name: string, input: unknown, line: string][] = [
    ["nothing", undefined, "config: is empty; write an object with clients, nodes"],
    [
      "an unknown name",
      { clients: { all: { to: "wbe", rate: "1/s" } }, nodes },
      'clients.all.to: names "wbe", which is no node; did you mean "web"?',
    ],
    [
      "a bare rate",
      { clients: { all: { to: "web", rate: "100" } }, nodes },
      'clients.all.rate: is the string "100"; write a rate such as "100/s"',
    ],
    [
      "an unknown kind",
      { clients, nodes: { web: { kind: "sevice" } } },
      'nodes.web.kind: is the string "sevice"; did you mean "service"?',
    ],
    [
      "a cycle",
      {
        clients,
        nodes: {
          ...nodes,
          app: { kind: "service", time: "1ms", calls: ["b"] },
          b: { kind: "service", time: "1ms", calls: ["app"] },
        },
      },
      "nodes.app: calls itself: app -> b -> app; take one of these calls out",
    ],
    [
      "a gateway before a database",
      { clients, nodes: { web: { kind: "gateway", to: "app" }, app: { kind: "database", read: "1ms" } } },
      'nodes.web.to: names "app", a database; name a service',
    ],
    [
      "a mistake in a group",
      { clients, nodes: { ...nodes, web: { kind: "gateway", to: "app", group: { algoritm: "p2c" } } } },
      'nodes.web.group.algoritm: is not a known key; did you mean "algorithm"?',
    ],
    [
      "a fault on the wrong kind",
      { clients, nodes, faults: [{ kind: "flush", at: "1s", node: "app" }] },
      'faults[0].node: names "app", a service; name a cache',
    ],
    [
      "a negative time",
      { clients, nodes: { ...nodes, app: { kind: "service", time: "-5ms" } } },
      "nodes.app.time",
    ],
  ];
  for (const [name, input, line] of rows)
    test(name, () => expect(problemsOf(input).join("\n")).toContain(line));

  test("a hundred thousand nodes are refused at once", () => {
    const many = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, i) => [`n${i}`, { kind: "delay", time: "1ms" }]),
    );
    expect(problemsOf({ clients, nodes: many })).toEqual(["nodes: has 100000 entries; keep to 1000"]);
  });
});

describe("parts", () => {
  test("the calendar gives events in order of time, equal ones in order of scheduling", () => {
    const calendar = new Calendar();
    const random = seededRandom(3);
    const times = Array.from({ length: 5000 }, () => Math.floor(random() * 100));
    for (const [index, time] of times.entries()) calendar.schedule(time, 0, index);
    const expected = times
      .map((time, index) => [time, index])
      .toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
    const got: number[][] = [];
    while (calendar.next()) got.push([calendar.timeMs, calendar.subject]);
    expect(got).toEqual(expected);
  });

  const DISTRIBUTIONS: Distribution[] = [
    { kind: "constant", meanMs: 7 },
    { kind: "exponential", meanMs: 7 },
    { kind: "erlang", meanMs: 7, k: 4 },
    { kind: "hyperexponential", meanMs: 7, cv: 2 },
    { kind: "lognormal", meanMs: 7, cv: 0.8 },
    {
      kind: "empirical",
      quantiles: [
        [0, 1],
        [0.5, 5],
        [0.9, 9],
        [1, 40],
      ],
    },
  ];
  for (const distribution of DISTRIBUTIONS) {
    test(`draws of ${distribution.kind} have its mean and its variation`, () => {
      const draw = sampler(distribution, seededRandom(5));
      const values = Array.from({ length: 200_000 }, draw);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(mean / meanMs(distribution)).toBeCloseTo(1, 1);
      expect(Math.sqrt(variance) / mean).toBeCloseTo(cv(distribution), 1);
    });
  }

  test("quantiles are within 0.4 % over nine decades", () => {
    for (const ms of [0.000_123, 0.5, 1, 17, 9999, 123_456_789]) {
      const quantiles = new Quantiles();
      for (let i = 0; i < 10; i++) quantiles.record(ms);
      expect(Math.abs(quantiles.quantile(0.5) / ms - 1)).toBeLessThan(0.004);
    }
  });

  test("a queue of numbers gives back what it got, in order, also from the middle", () => {
    const queue = new IntQueue();
    for (let i = 0; i < 100; i++) queue.push(i);
    expect([queue.remove(50), queue.remove(50), queue.size]).toEqual([true, false, 99]);
    expect(Array.from({ length: 99 }, () => queue.shift())).toEqual(
      Array.from({ length: 100 }, (_, i) => i).filter((i) => i !== 50),
    );
    expect([queue.shift(), queue.peek()]).toEqual([-1, -1]);
  });

  test("weights are drawn as often as they weigh", () => {
    const draw = drawer([5, 3, 2], seededRandom(9));
    const counts = [0, 0, 0];
    for (let i = 0; i < 100_000; i++) counts[draw()]!++;
    for (const [index, share] of [0.5, 0.3, 0.2].entries())
      expect(counts[index]! / 100_000).toBeCloseTo(share, 2);
  });
});
