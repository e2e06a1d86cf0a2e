/** The exercises, at the precision in which they are printed. */
import { describe, expect, test } from "bun:test";
import { estimate } from "./estimate.ts";
import { PRESETS, PRICES, parseWorkload } from "./index.ts";
import { serversOf } from "./servers.ts";
import { DEFAULTS, type Workload } from "./workload.ts";

const twitter = estimate(PRESETS["twitter"]!, PRICES);
const blog = estimate(PRESETS["blog"]!, PRICES);

describe("twitter, 100 million users", () => {
  const rows: [name: string, got: number, printed: number, digits: number][] = [
    ["writes a day, 10^9", twitter.rates.writesPerDay / 1e9, 1, 0],
    ["reads a day, 10^11", twitter.rates.readsPerDay / 1e11, 1, 0],
    ["writes a second", twitter.rates.writeRps, 11_574, 0],
    ["reads a second", twitter.rates.readRps, 1_157_407, 0],
    ["writes at the peak", twitter.rates.peakWriteRps, 23_148, 0],
    ["reads at the peak", twitter.rates.peakReadRps, 2_314_815, 0],
    ["text a day, GB", twitter.storage.rowsPerDay / 1e9, 500, 9],
    ["text a year, TB", twitter.storage.rowsPerYear / 1e12, 182.5, 9],
    ["text in five years, PB", twitter.storage.rowsKept / 1e15, 0.91, 2],
    ["photos a day, TB", twitter.storage.filesPerDay / 1e12, 200, 9],
    ["photos a year, PB", twitter.storage.filesPerYear / 1e15, 73, 9],
    ["photos of a year in three copies, PB", twitter.storage.filesPerYearCopied / 1e15, 219, 9],
    ["text egress, Gbit/s", twitter.bandwidth.answersBps / 1e9, 4.63, 2],
    ["photo egress, Tbit/s", twitter.bandwidth.filesBps / 1e12, 1.85, 2],
    ["hot 20 % of a day's text, GB", twitter.cacheBytes / 1e9, 100, 9],
  ];
  for (const [name, got, printed, digits] of rows)
    test(`${name}: ${printed}`, () => expect(Number(got.toFixed(digits))).toBe(printed));
});

describe("a blog, 10 million users", () => {
  const rows: [name: string, got: number, printed: number, digits: number][] = [
    ["views a second", blog.rates.readRps, 1157, 0],
    ["views at the peak", blog.rates.peakReadRps, 5787, 0],
    ["views at the peak, past the CDN", blog.rates.originReadRps, 579, 0],
    ["posts a second", blog.rates.writeRps, 1.16, 2],
    ["egress, Gbit/s", blog.bandwidth.answersBps / 1e9, 0.93, 2],
    ["egress a day, TB", blog.bandwidth.answersPerDay / 1e12, 10, 9],
    ["text a year, GB", blog.storage.rowsPerYear / 1e9, 182.5, 9],
    ["images a year, TB", blog.storage.filesPerYear / 1e12, 18.25, 9],
    ["app servers, one of them to spare", blog.servers.withSpare, 2, 0],
    ["primaries", blog.databases.primaries, 1, 0],
  ];
  for (const [name, got, printed, digits] of rows)
    test(`${name}: ${printed}`, () => expect(Number(got.toFixed(digits))).toBe(printed));
});

test("10,000/s of 10 ms are 100 cores: 25 servers as the floor, 36 at 70 %, 37 with one to spare", () => {
  expect(serversOf(10_000, DEFAULTS)).toEqual({ cores: 100, floor: 25, target: 36, withSpare: 37 });
});

test("growth of half a year on year keeps 4.75 years' worth in three", () => {
  const grown = estimate({ ...PRESETS["blog"]!, years: 3, growth: 0.5 }, PRICES);
  expect(grown.storage.rowsKept / blog.storage.rowsPerYear).toBeCloseTo(4.75, 9);
  expect(grown.rates.grown).toBeCloseTo(3.375, 9);
});

test("a growth of next to nothing keeps as much as none", () => {
  const grown = estimate({ ...PRESETS["blog"]!, growth: 1e-12 }, PRICES);
  expect(grown.storage.rowsKept / blog.storage.rowsKept).toBeCloseTo(1, 9);
});

test("another number of users changes what follows from it, and nothing else", () => {
  const outcome = parseWorkload({ preset: "twitter", users: "1M" });
  if (outcome.kind === "problems") throw new Error(JSON.stringify(outcome.problems));
  const small = estimate(outcome.value, PRICES);
  expect(small.rates.readsPerDay).toBeCloseTo(1e9, 3);
  expect(small.storage.rowsPerDay).toBeCloseTo(5e9, 3);
  expect(small.rates.cpuMs).toBeCloseTo(twitter.rates.cpuMs, 12);
});

describe("shards are planned for what one machine cannot carry", () => {
  const rows: [about: string, perDay: number, storedBytes: number, primaries: number][] = [
    ["little", 1e6, 100, 1],
    ["more writes than it takes: 11,574/s at the peak", 5e8, 0, 3],
    ["more rows than it holds: 18.25 TB", 1e6, 1e4, 2],
  ];
  for (const [about, times, storedBytes, primaries] of rows) {
    test(about, () => {
      const action = { name: "a", kind: "write", times, per: "day", storedBytes, answerBytes: 0 } as const;
      const workload: Workload = { ...DEFAULTS, name: "", users: 0, actions: [action] };
      expect(estimate(workload, PRICES).databases.primaries).toBe(primaries);
    });
  }
});

test("reads that no cache answers take replicas, not shards", () => {
  const read = {
    name: "a",
    kind: "read",
    times: 8.64e9,
    per: "day",
    storedBytes: 0,
    answerBytes: 0,
  } as const;
  const workload: Workload = { ...DEFAULTS, name: "", users: 0, actions: [read], copies: 2 };
  // 200,000/s at the peak over 20,000/s that one answers; nothing is stored, so there is nothing to cache.
  expect(estimate(workload, PRICES).databases).toMatchObject({ cached: false, primaries: 1, replicas: 9 });
});

test("every cost is what there is of it times its price", () => {
  const action = {
    name: "a",
    kind: "read",
    times: 1e6,
    per: "day",
    storedBytes: 0,
    answerBytes: 1e3,
  } as const;
  const workload: Workload = { ...DEFAULTS, name: "", users: 0, actions: [action], cdnShare: 0.5 };
  const { costs } = estimate(workload, PRICES);
  // 1 GB a day: 15 GB a month each way; 1 server and 1 to spare; a primary in 3 copies.
  expect(costs).toMatchObject({ servers: 240, databases: 1800, balancer: 20, memory: 0, disk: 0 });
  expect(costs.cdn).toBeCloseTo(0.3, 12);
  expect(costs.egress).toBeCloseTo(1.2, 12);
  expect(costs.total).toBeCloseTo(2061.5, 9);
});
