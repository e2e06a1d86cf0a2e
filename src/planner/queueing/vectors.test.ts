/** Vectors of textbooks and other programs, at the precision in which they were printed. */
import { describe, expect, test } from "bun:test";
import {
  closedNetwork,
  erlangB,
  erlangC,
  fitUsl,
  fullAfterMs,
  mg1,
  mmc,
  mmck,
  openNetwork,
  type Station,
  serversFor,
  slowShareOfFanOut,
  squareRootStaffing,
  uslAt,
} from "./index.ts";

const HOUR = 3600;
const YEAR_S = 365 * 86_400;
const MIN_MS = 60_000;

/** The steady state of M/M/c; fails the test when there is none. */
function steady(rateRps: number, serviceMs: number, servers: number) {
  const queue = mmc({ rateRps, serviceMs, servers });
  if (queue.kind === "unstable") throw new Error("no steady state");
  return queue;
}

describe("M/M/c", () => {
  // Bronson, "Operations Research"; Render & Stair's manual. A page that reprints Bronson 23.16 gives p0 0.178; at a
  // utilisation of 0.75 it is 0.25.
  const rows: [name: string, got: number, printed: number, digits: number][] = [
    ["Bronson 24.6 Lq", steady(300 / YEAR_S, (YEAR_S / 182.5) * 1000, 3).queued, 0.352, 3],
    ["Bronson 24.6 L", steady(300 / YEAR_S, (YEAR_S / 182.5) * 1000, 3).inSystem, 1.996, 3],
    ["Bronson 24.6 Wq", steady(300 / YEAR_S, (YEAR_S / 182.5) * 1000, 3).waitMs / 1000 / YEAR_S, 0.001175, 6],
    [
      "Bronson 24.6 W",
      steady(300 / YEAR_S, (YEAR_S / 182.5) * 1000, 3).responseMs / 1000 / YEAR_S,
      0.006654,
      6,
    ],
    ["Bronson 24.6 p0", steady(300 / YEAR_S, (YEAR_S / 182.5) * 1000, 3).emptyShare, 0.17754, 5],
    ["Bronson 23.3 L", steady(24 / HOUR, 120_000, 1).inSystem, 4, 9],
    ["Bronson 23.3 W", steady(24 / HOUR, 120_000, 1).responseMs / MIN_MS, 10, 9],
    ["Bronson 23.3 p0", steady(24 / HOUR, 120_000, 1).emptyShare, 0.2, 9],
    ["Bronson 23.14 Lq", steady(30 / HOUR, 90_000, 1).queued, 2.25, 9],
    ["Bronson 23.14 Wq", steady(30 / HOUR, 90_000, 1).waitMs / MIN_MS, 4.5, 9],
    ["Bronson 23.14 p0", steady(30 / HOUR, 90_000, 1).emptyShare, 0.25, 9],
    ["Bronson 23.16 Wq", steady(1 / 60, 45_000, 1).waitMs / MIN_MS, 2.25, 9],
    ["Bronson 23.16 W", steady(1 / 60, 45_000, 1).responseMs / MIN_MS, 3, 9],
    ["Render-Stair 14.3 p0", steady(20 / HOUR, 120_000, 2).emptyShare, 0.5, 9],
    ["Render-Stair 14.3 L", steady(20 / HOUR, 120_000, 2).inSystem, 0.75, 9],
    ["Render-Stair 14.3 W", steady(20 / HOUR, 120_000, 2).responseMs / MIN_MS, 2.25, 9],
    ["Erlang C of 6 on 10", erlangC(10, 6), 0.1013, 5],
    ["Erlang C of 2.5 on 6", erlangC(6, 2.5), 0.0474, 4],
    ["Erlang C of 2.5 on 5", erlangC(5, 2.5), 0.1304, 4],
    ["Erlang B of 100,000 on 100,000", erlangB(100_000, 100_000), 0.002519, 6],
  ];
  for (const [name, got, printed, digits] of rows)
    test(`${name} is ${printed}`, () => expect(got).toBeCloseTo(printed, digits));

  test("30 calls an hour of 5 minutes, 90 % without a wait, need 6 servers", () => {
    const work = { rateRps: 30 / HOUR, serviceMs: 5 * MIN_MS };
    expect(serversFor(work, { kind: "wait-share", share: 0.1 })).toEqual({ kind: "servers", servers: 6 });
  });

  test("the time of M/M/1 is 2, 3.3, 5, 10 and 20 services at 50, 70, 80, 90 and 95 %", () => {
    const times = [0.5, 0.7, 0.8, 0.9, 0.95].map((load) => steady(load, 1000, 1).responseMs / 1000);
    for (const [index, factor] of [2, 3.33, 5, 10, 20].entries()) expect(times[index]).toBeCloseTo(factor, 2);
  });
});

// Some of these are cut off after their last digit, not rounded.
describe("M/M/c/K of Octave's queueing package", () => {
  const rows: [name: string, got: number, printed: number, digits: number][] = [
    [
      "M/M/3/7 p0",
      mmck({ rateRps: 40, serviceMs: 1000 / 30, servers: 3, capacity: 7 }).emptyShare,
      0.255037,
      6,
    ],
    [
      "M/M/3/7 R",
      mmck({ rateRps: 40, serviceMs: 1000 / 30, servers: 3, capacity: 7 }).responseMs / 1000,
      0.036517,
      6,
    ],
    [
      "M/M/4/6 full",
      mmck({ rateRps: 50, serviceMs: 100, servers: 4, capacity: 6 }).refusedShare,
      0.293543,
      6,
    ],
    ["M/M/2/5 p0", mmck({ rateRps: 3, serviceMs: 500, servers: 2, capacity: 5 }).emptyShare, 0.179334, 5],
    ["M/M/2/5 full", mmck({ rateRps: 3, serviceMs: 500, servers: 2, capacity: 5 }).refusedShare, 0.085113, 5],
    ["M/M/2/5 L", mmck({ rateRps: 3, serviceMs: 500, servers: 2, capacity: 5 }).inSystem, 2.00595, 5],
    ["M/M/2/5 Wq", mmck({ rateRps: 3, serviceMs: 500, servers: 2, capacity: 5 }).waitMs / 1000, 0.230857, 5],
  ];
  for (const [name, got, printed, digits] of rows)
    test(`${name} is ${printed}`, () => expect(got).toBeCloseTo(printed, digits));
});

test("M/G/1 at 80 % of 10 ms waits 20, 40 and 100 ms for cv^2 of 0, 1 and 4", () => {
  const waits = [0, 1, 2].map((serviceCv) => mg1({ rateRps: 80, serviceMs: 10, serviceCv }));
  expect(waits.map((queue) => (queue.kind === "steady" ? queue.waitMs : NaN))).toEqual([
    expect.closeTo(20, 9),
    expect.closeTo(40, 9),
    expect.closeTo(100, 9),
  ]);
});

/** Stations from columns, as the books print them; seconds. */
function stations(visits: number[], serviceS: number[], servers: number[] = []): Station[] {
  return visits.map((count, k) => ({
    name: `${k}`,
    visits: count,
    serviceMs: (serviceS[k] ?? 0) * 1000,
    servers: servers[k] ?? 1,
  }));
}

describe("open networks", () => {
  const rows: [
    name: string,
    rate: number,
    of: Station[],
    read: "utilisation" | "responseMs" | "inSystem" | "throughputRps",
    printed: number[],
    digits: number,
  ][] = [
    [
      "of the textbook, p. 572",
      3,
      stations([16, 7, 8], [0.01, 0.02, 0.03]),
      "utilisation",
      [0.48, 0.42, 0.72],
      9,
    ],
    [
      "of the textbook, p. 572",
      3,
      stations([16, 7, 8], [0.01, 0.02, 0.03]),
      "responseMs",
      [19.2, 34.5, 107],
      0,
    ],
    [
      "of Lazowska, p. 113",
      0.3,
      stations([121, 70, 50], [0.005, 0.03, 0.027]),
      "utilisation",
      [0.1815, 0.63, 0.405],
      3,
    ],
    ["of Lazowska, p. 113", 0.3, stations([121, 70, 50], [0.005, 0.03, 0.027]), "inSystem", [0.222], 3],
    ["of Lazowska, p. 113", 0.3, stations([121, 70, 50], [0.005, 0.03, 0.027]), "throughputRps", [36.3], 9],
    [
      "of Bolch 7.4",
      1,
      stations([20, 10, 10, 4], [0.04, 0.03, 0.06, 0.05]),
      "utilisation",
      [0.8, 0.3, 0.6, 0.2],
      9,
    ],
    [
      "of Bolch 7.4",
      1,
      stations([20, 10, 10, 4], [0.04, 0.03, 0.06, 0.05]),
      "responseMs",
      [200, 43, 150, 62.5],
      0,
    ],
    [
      "of Bolch 7.4",
      1,
      stations([20, 10, 10, 4], [0.04, 0.03, 0.06, 0.05]),
      "inSystem",
      [4, 0.429, 1.5, 0.25],
      3,
    ],
  ];
  for (const [name, rate, of, read, printed, digits] of rows) {
    test(`${read} ${name} is ${printed.join(", ")}`, () => {
      const network = openNetwork(rate, of);
      if (network.kind === "unstable") throw new Error("no steady state");
      for (const [k, value] of printed.entries())
        expect(network.stations[k]?.[read]).toBeCloseTo(value, digits);
    });
  }
});

describe("closed networks by exact MVA", () => {
  test("Jain, p. 577: 20 users who think 4 s", () => {
    const { stations: of } = closedNetwork(20, 4000, stations([16, 10, 5], [0.125, 0.3, 0.2]));
    for (const [k, ms] of [373, 4854, 300].entries()) expect(of[k]?.responseMs).toBeCloseTo(ms, 0);
    for (const [k, queue] of [1.991, 16.177, 0.5].entries()) expect(of[k]?.inSystem).toBeCloseTo(queue, 3);
  });

  test("Bolch 8.3: 6 users who do not think", () => {
    const { stations: of } = closedNetwork(6, 0, stations([1, 0.4, 0.2, 0.1], [0.02, 0.2, 0.4, 0.6]));
    for (const [k, share] of [0.198, 0.794, 0.794, 0.595].entries())
      expect(of[k]?.utilisation).toBeCloseTo(share, 3);
    for (const [k, ms] of [25, 570, 1140, 1244].entries()) expect(of[k]?.responseMs).toBeCloseTo(ms, 0);
  });

  test("Bolch 8.4: two servers, and a delay", () => {
    const of = stations([1, 0.5, 0.5, 1], [0.5, 0.6, 0.8, 1], [2, 1, 1, Infinity]);
    const network = closedNetwork(3, 0, of);
    for (const [k, queue] of [0.624, 0.473, 0.686, 1.217].entries())
      expect(network.stations[k]?.inSystem).toBeCloseTo(queue, 3);
    // Printed as 1.218; the delay of one second holds 1.217, so that is what leaves it.
    for (const [k, rate] of [1.2175, 0.6087, 0.6087, 1.2175].entries())
      expect(network.stations[k]?.throughputRps).toBeCloseTo(rate, 3);
  });
});

describe("the universal scalability law", () => {
  test("SPEC SDM91, as R's package usl fits it", () => {
    const n = [1, 18, 36, 72, 108, 144, 216];
    const x = [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775, 1702.2];
    const fit = fitUsl(n.map((count, i) => ({ n: count, throughput: x[i]! })))!;
    expect(fit.contention.value).toBeCloseTo(0.0277285, 7);
    expect(fit.coherence.value).toBeCloseTo(0.0001044, 7);
    expect(fit.single.value).toBeCloseTo(89.9952, 4);
    expect([fit.peakN, fit.peakThroughput, fit.ceiling].map((value) => Number(value.toPrecision(4)))).toEqual(
      [96.52, 1884, 3246],
    );
    expect(fit.trustedN).toBe(432);
    expect(fit.coherence.low).toBeGreaterThan(0);
  });

  test("the package's own data", () => {
    const n = [1, 2, 4, 6, 8, 10];
    const x = [1, 1.8868, 3.0769, 3.5294, 3.5398, 3.3557];
    const fit = fitUsl(n.map((count, i) => ({ n: count, throughput: x[i]! })))!;
    expect(fit.contention.value).toBeCloseTo(0.02, 4);
    expect(fit.coherence.value).toBeCloseTo(0.02, 4);
    expect(fit.single.value).toBeCloseTo(1, 4);
  });

  test("the ray tracer never falls, so no peak is claimed without its interval", () => {
    const n = [1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64];
    const x = [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310];
    const fit = fitUsl(n.map((count, i) => ({ n: count, throughput: x[i]! })))!;
    expect(fit.rSquared).toBeGreaterThan(0.98);
    expect(fit.coherence.low).toBeLessThanOrEqual(0);
  });

  test("what one does best only gets slower, from one on", () => {
    const fit = fitUsl([1, 2, 4, 8].map((n) => ({ n, throughput: 100 / n })))!;
    expect([fit.peakN, fit.peakThroughput]).toEqual([1, expect.closeTo(100, 6)]);
  });

  test("an Amdahl curve has no peak, and a ceiling", () => {
    const fit = fitUsl([1, 2, 4, 8, 16].map((n) => ({ n, throughput: uslAt([0.05, 0, 10], n) })))!;
    expect([fit.coherence.value, fit.peakN, fit.ceiling]).toEqual([0, Infinity, expect.closeTo(200, 6)]);
  });

  test("what scales in a straight line has neither contention nor coherence", () => {
    const fit = fitUsl([1, 2, 4, 8].map((n) => ({ n, throughput: 10 * n })))!;
    expect([fit.contention.value, fit.coherence.value, fit.peakN]).toEqual([0, 0, Infinity]);
    expect(uslAt([0, 0, 10], 16)).toBe(160);
  });

  test("two points are not enough", () => {
    expect(fitUsl([1, 2].map((n) => ({ n, throughput: n })))).toBeUndefined();
  });
});

test("of a hundred parts with 1 % slow ones 63 % of the requests meet one", () => {
  expect(slowShareOfFanOut(0.01, 100)).toBeCloseTo(0.634, 3);
});

test("square root staffing of 19.4 erlangs is 24, 29 and 33", () => {
  expect([1, 2, 3].map((k) => squareRootStaffing(19.4, k))).toEqual([24, 29, 33]);
});

test("an overload of 3 % fills a queue of 1,000 in 33 s at 1,000 a second", () => {
  const queue = mmc({ rateRps: 1030, serviceMs: 1, servers: 1 });
  if (queue.kind === "steady") throw new Error("a steady state above 100 %");
  expect(queue.growthRps).toBeCloseTo(30, 9);
  expect(fullAfterMs(queue, 1000)).toBeCloseTo(33_333, 0);
});
