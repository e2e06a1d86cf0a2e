/** Laws that hold for every valid input, on seeded random ones. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import {
  asymptoticBounds,
  boundedQuantile,
  boundedTail,
  closedNetwork,
  closedThroughputsRps,
  erlangB,
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

  test("utilisation is load over servers, and what is not waiting is being served", () => {
    for (const input of QUEUES) {
      const { utilisation, inSystem, queued } = steady(input);
      expect(utilisation).toBeCloseTo((input.rateRps * input.serviceMs) / 1000 / input.servers, 12);
      expect((inSystem - queued) / input.servers).toBeCloseTo(utilisation, 9);
    }
  });

  test("the mean is the area under the tail", () => {
    for (const input of QUEUES.slice(0, 20)) {
      const queue = steady(input);
      const step = queue.responseMs / 500;
      let area = 0;
      for (let i = 0; i < 20_000; i++) area += responseTail(queue, (i + 0.5) * step) * step;
      expect(area / queue.responseMs).toBeCloseTo(1, 4);
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

  test("a hundred servers with hardly any load are empty, not undefined", () => {
    const queue = steady({ rateRps: 1e-6, serviceMs: 1, servers: 200 });
    expect(queue.emptyShare).toBeCloseTo(1, 8);
    expect(queue.waitShare).toBe(0);
    expect(responseQuantile(queue, 0.5)).toBeCloseTo(Math.LN2, 9);
  });

  test("as full as rounding can tell is full, and one more server keeps up", () => {
    expect(mmc({ rateRps: 3, serviceMs: 1e3 * (0.1 + 0.2), servers: 0.9 })).toMatchObject({
      kind: "unstable",
    });
    expect(mmc({ rateRps: 30, serviceMs: 100 - 1e-12, servers: 3 })).toMatchObject({
      kind: "unstable",
      growthRps: 0,
    });
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
      expect(bounded.emptyShare / steady(input).emptyShare).toBeCloseTo(1, 6);
    }
  });

  test("M/M/c/c turns away what Erlang B says, and nobody waits", () => {
    for (const input of QUEUES) {
      const bounded = mmck({ ...input, capacity: input.servers });
      const blocked = erlangB(input.servers, (input.rateRps * input.serviceMs) / 1000);
      expect(bounded.refusedShare / blocked).toBeCloseTo(1, 9);
      expect(bounded.waitMs).toBe(0);
    }
  });

  test("M/M/c/K far above its capacity turns the rest away, and loses no digit", () => {
    const bounded = mmck({ rateRps: 1e15, serviceMs: 100, servers: 2, capacity: 100_000 });
    expect(bounded.throughputRps).toBeCloseTo(20, 9);
    expect(bounded.refusedShare).toBeCloseTo(1, 9);
    expect(bounded.queued).toBeCloseTo(99_998, 6);
  });

  test("M/M/c/K with much room has the tail of M/M/c", () => {
    for (const input of QUEUES.filter(({ servers }) => servers < 20)) {
      const tail = boundedTail({ ...input, capacity: 5000 });
      const queue = steady(input);
      for (const services of [0.1, 1, 5]) {
        const ms = services * input.serviceMs;
        expect(tail(ms) / responseTail(queue, ms)).toBeCloseTo(1, 6);
      }
    }
  });

  test("the mean of M/M/c/K is the area under its tail, in overload too", () => {
    const input = { rateRps: 100, serviceMs: 25, servers: 2, capacity: 20 };
    const tail = boundedTail(input);
    let area = 0;
    for (let ms = 0.25; ms < 2000; ms += 0.5) area += tail(ms) * 0.5;
    expect(area / mmck(input).responseMs).toBeCloseTo(1, 4);
  });

  test("M/M/c/c answers as the service does, whatever comes", () => {
    for (const rateRps of [0, 1, 1e6])
      expect(boundedQuantile({ rateRps, serviceMs: 10, servers: 3, capacity: 3 }, 0.9)).toBeCloseTo(
        23.0259,
        4,
      );
  });

  test("M/M/1 is M/M/c with one server", () => {
    for (const { rateRps, servers, serviceMs } of QUEUES) {
      const { responseMs, emptyShare } = steady({ rateRps, serviceMs: serviceMs / servers, servers: 1 });
      expect(responseMs).toBeCloseTo(1000 / ((servers * 1000) / serviceMs - rateRps), 9);
      expect(emptyShare).toBeCloseTo(1 - (rateRps * serviceMs) / 1000 / servers, 9);
    }
  });

  test("G/G/c with exponential times is M/M/c, and says that it is exact", () => {
    for (const input of QUEUES) {
      const general = ggc({ ...input, arrivalCv: 1, serviceCv: 1 });
      expect(general).toMatchObject({ exact: true, waitMs: steady(input).waitMs });
    }
  });

  test("a fitted service has the mean and the cv that it was fitted to", () => {
    for (const serviceCv of [0, 0.3, 1, 1.5, 4]) {
      const alone = ggc({ rateRps: 0, serviceMs: 10, servers: 1, arrivalCv: 1, serviceCv });
      if (alone.kind === "unstable") throw new Error("no steady state");
      const moments = [0, 0];
      for (let ms = 0.005; ms < 2000; ms += 0.01) {
        moments[0]! += responseTail(alone, ms) * 0.01;
        moments[1]! += 2 * ms * responseTail(alone, ms) * 0.01;
      }
      expect(moments[0]).toBeCloseTo(10, 2);
      expect(moments[1]! / 100 - 1).toBeCloseTo(serviceCv ** 2, 1);
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

  test("of one station whose users do not think is always full", () => {
    const of = [{ name: "app", visits: 1, serviceMs: 10, servers: 4 }];
    expect(closedNetwork(50, 0, of)).toMatchObject({ throughputRps: 400, stations: [{ inSystem: 50 }] });
  });

  test("of many servers hold exactly their users where the usual recursion loses all digits", () => {
    const of = STATIONS.map((station) => ({ ...station, servers: Math.min(station.servers * 30, 40) }));
    for (const users of [50, 200, 2000]) {
      const { stations, throughputRps } = closedNetwork(users, 100, of);
      const held = stations.reduce((sum, { inSystem }) => sum + inSystem, (throughputRps * 100) / 1000);
      expect(held / users).toBeCloseTo(1, 12);
      expect(throughputRps).toBeLessThanOrEqual(asymptoticBounds(users, 100, of).throughputRps * (1 + 1e-12));
    }
  });

  test("as a curve are the same as one by one", () => {
    const curve = closedThroughputsRps(30, 100, STATIONS);
    for (const users of [1, 7, 30])
      expect(curve[users]! / closedNetwork(users, 100, STATIONS).throughputRps).toBeCloseTo(1, 12);
  });

  test("name the bottleneck and its knee", () => {
    expect(asymptoticBounds(10, 100, STATIONS)).toMatchObject({ bottleneck: "disk", throughputMaxRps: 62.5 });
  });
});

describe("staffing", () => {
  test("one server fewer breaks the objective", () => {
    for (const work of QUEUES.slice(0, 50).map(({ rateRps, serviceMs }) => ({ rateRps, serviceMs }))) {
      const objective = { kind: "quantile", q: 0.99, ms: work.serviceMs * 6 } as const;
      const staffing = serversFor(work, objective);
      const servers = staffing.kind === "servers" ? staffing.servers : 0;
      const fewer = mmc({ ...work, servers: servers - 1 });
      expect(keeps(steady({ ...work, servers }), objective)).toBe(true);
      expect(fewer.kind === "steady" && keeps(fewer, objective)).toBe(false);
    }
  });

  test("uneven work needs more servers, even work fewer", () => {
    const objective = { kind: "mean", ms: 12 } as const;
    const needs = [0, 1, 3].map((serviceCv) =>
      serversFor({ rateRps: 2000, serviceMs: 10, serviceCv }, objective),
    );
    expect(needs.map((staffing) => (staffing.kind === "servers" ? staffing.servers : 0))).toEqual([
      22, 23, 26,
    ]);
  });

  test("what the service alone breaks no number of servers keeps", () => {
    expect(serversFor({ rateRps: 100, serviceMs: 50 }, { kind: "quantile", q: 0.99, ms: 100 }).kind).toBe(
      "never",
    );
  });

  test("a load beyond all servers is a mistaken unit, told at once", () => {
    const work = { rateRps: 1e18, serviceMs: 1000 };
    expect(serversFor(work, { kind: "mean", ms: 2000 }).kind).toBe("too-many");
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
