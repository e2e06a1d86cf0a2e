/** Laws that hold for every valid input, on seeded random ones. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import {
  asymptoticBounds,
  closedNetwork,
  ggc,
  keeps,
  mmc,
  mmck,
  responseQuantile,
  responseTail,
  type Station,
  serversFor,
  waitQuantile,
} from "./index.ts";
import { logGamma } from "./log-gamma.ts";
import { incompleteBeta, studentQuantile } from "./student.ts";

const random = seededRandom(7);
const between = (low: number, high: number): number => low + (high - low) * random();

/** Queues with a steady state: 1 to 200 servers, up to 99 % busy. */
const QUEUES = Array.from({ length: 200 }, () => {
  const servers = 1 + Math.floor(random() * 200);
  const serviceMs = between(0.1, 1000);
  return { servers, serviceMs, rateRps: (between(0.01, 0.99) * servers * 1000) / serviceMs };
});

function steady(input: (typeof QUEUES)[number]) {
  const queue = mmc(input);
  if (queue.kind === "unstable") throw new Error("no steady state");
  return queue;
}

describe("M/M/c", () => {
  test("Little's law holds for the queue and for the whole", () => {
    for (const input of QUEUES) {
      const { queued, waitMs, inSystem, responseMs } = steady(input);
      expect(queued).toBeCloseTo((input.rateRps * waitMs) / 1000, 9);
      expect(inSystem).toBeCloseTo((input.rateRps * responseMs) / 1000, 9);
    }
  });

  test("a quantile is where the tail says", () => {
    for (const input of QUEUES) {
      const queue = steady(input);
      for (const q of [0.5, 0.99])
        expect(responseTail(queue, responseQuantile(queue, q))).toBeCloseTo(1 - q, 9);
    }
  });

  test("where both rates of the tail meet it is continuous", () => {
    const queue = steady({ rateRps: 50, serviceMs: 20, servers: 2 });
    const near = steady({ rateRps: 50.000001, serviceMs: 20, servers: 2 });
    expect(responseTail(queue, 40)).toBeCloseTo(responseTail(near, 40), 6);
  });

  test("who does not wait has a wait of 0 as quantile", () => {
    expect(waitQuantile(steady({ rateRps: 1, serviceMs: 10, servers: 10 }), 0.99)).toBe(0);
  });

  test("a hundred thousand servers lose no digits", () => {
    const queue = steady({ rateRps: 99_900, serviceMs: 1000, servers: 100_000 });
    expect(queue.waitShare).toBeGreaterThan(0.6);
    expect(queue.waitShare).toBeLessThan(0.75);
    expect(queue.emptyShare).toBeGreaterThanOrEqual(0);
  });

  test("nothing comes, nothing waits", () => {
    expect(steady({ rateRps: 0, serviceMs: 10, servers: 3 })).toMatchObject({
      waitMs: 0,
      emptyShare: 1,
      inSystem: 0,
    });
  });
});

describe("special cases agree", () => {
  test("M/M/c/K with much room is M/M/c", () => {
    for (const input of QUEUES.filter(({ servers }) => servers < 20)) {
      const bounded = mmck({ ...input, capacity: 5000 });
      expect(bounded.responseMs / steady(input).responseMs).toBeCloseTo(1, 6);
    }
  });

  test("M/M/c/K far above its capacity turns the rest away", () => {
    const bounded = mmck({ rateRps: 1000, serviceMs: 100, servers: 2, capacity: 100_000 });
    expect(bounded.throughputRps).toBeCloseTo(20, 6);
    expect(bounded.refusedShare).toBeCloseTo(0.98, 6);
  });

  test("G/G/c with exponential times is M/M/c, and says that it is exact", () => {
    for (const input of QUEUES) {
      const general = ggc({ ...input, arrivalCv: 1, serviceCv: 1 });
      expect(general).toMatchObject({ exact: true, waitMs: steady(input).waitMs });
    }
  });
});

describe("closed networks", () => {
  const STATIONS: Station[] = [
    { name: "cpu", visits: 3, serviceMs: 5, servers: 2 },
    { name: "disk", visits: 2, serviceMs: 8, servers: 1 },
    { name: "network", visits: 1, serviceMs: 30, servers: Infinity },
  ];

  test("keep the asymptotic bounds at every number of users", () => {
    for (const users of [1, 2, 5, 10, 50, 300]) {
      const { throughputRps, responseMs } = closedNetwork(users, 100, STATIONS);
      const bounds = asymptoticBounds(users, 100, STATIONS);
      expect(throughputRps).toBeLessThanOrEqual(bounds.throughputRps * (1 + 1e-9));
      expect(responseMs).toBeGreaterThanOrEqual(bounds.responseMs * (1 - 1e-9));
      expect((throughputRps * (responseMs + 100)) / 1000).toBeCloseTo(users, 6);
    }
  });

  test("name the bottleneck and its knee", () => {
    expect(asymptoticBounds(10, 100, STATIONS)).toMatchObject({ bottleneck: "disk", throughputMaxRps: 62.5 });
  });
});

describe("staffing", () => {
  test("one server fewer breaks the objective", () => {
    for (const { rateRps, serviceMs } of QUEUES.slice(0, 50)) {
      const objective = { kind: "quantile", q: 0.99, ms: serviceMs * 6 } as const;
      const servers = serversFor(rateRps, serviceMs, objective) ?? 0;
      const fewer = mmc({ rateRps, serviceMs, servers: servers - 1 });
      expect(keeps(steady({ rateRps, serviceMs, servers }), objective)).toBe(true);
      expect(fewer.kind === "steady" && keeps(fewer, objective)).toBe(false);
    }
  });

  test("what the service alone breaks no number of servers keeps", () => {
    expect(serversFor(100, 50, { kind: "quantile", q: 0.99, ms: 100 })).toBeUndefined();
  });
});

describe("special functions", () => {
  const rows: [name: string, got: number, printed: number, digits: number][] = [
    ["ln gamma(1)", logGamma(1), 0, 12],
    ["ln gamma(0.5)", logGamma(0.5), Math.log(Math.PI) / 2, 12],
    ["ln gamma(171)", logGamma(171), 706.573062245787, 9],
    ["t(0.975, 1)", studentQuantile(0.975, 1), 12.7062, 4],
    ["t(0.975, 4)", studentQuantile(0.975, 4), 2.776445, 6],
    ["t(0.95, 30)", studentQuantile(0.95, 30), 1.697261, 6],
    ["I(0.5; 2, 3)", incompleteBeta(0.5, 2, 3), 0.6875, 12],
  ];
  for (const [name, got, printed, digits] of rows)
    test(`${name} is ${printed}`, () => expect(got).toBeCloseTo(printed, digits));
});
