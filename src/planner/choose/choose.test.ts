import { describe, expect, test } from "bun:test";
import { figuresOf } from "../report/report.ts";
import { DEFAULT_FACTS, type Facts } from "./facts.ts";
import { CHOICES, chooseReport, parseFacts, serversForChallenge } from "./index.ts";

const choice = (rule: string, facts: Partial<Facts>): string =>
  CHOICES[rule]!({ ...DEFAULT_FACTS, ...facts }).choice;

describe("each rule turns at its threshold", () => {
  const rows: [rule: string, below: Partial<Facts>, above: Partial<Facts>, from: string, to: string][] = [
    ["scaling", { readRps: 2000, availability: 0.999 }, { readRps: 2300 }, "one bigger server", "several"],
    ["scaling", { availability: 0.999 }, { availability: 0.9995 }, "one bigger server", "several"],
    ["algorithm", { costCv: 1.4 }, { costCv: 1.5 }, "round-robin", "least-requests"],
    ["algorithm", { state: "session" }, { state: "room" }, "round-robin", "consistent-hash"],
    ["sessions", { state: "session" }, { state: "room" }, "stateless", "sticky"],
    ["layer", { http: true }, { http: false }, "layer 7", "layer 4"],
    ["consistency", { staleMs: 1000 }, { staleMs: 999 }, "AP", "CP"],
    ["consistency", { money: false }, { money: true }, "AP", "CP"],
    ["store", { graphDepth: 3 }, { graphDepth: 4 }, "SQL", "a graph store"],
    ["store", { writeRps: 4999, joins: "none" }, { writeRps: 5000, joins: "none" }, "SQL", "a key-value"],
    ["caching", { hotShare: 0.49 }, { hotShare: 0.5 }, "no cache", "cache-aside"],
    [
      "caching",
      { staleMs: 1000 },
      { staleMs: 10 },
      "cache-aside with expiry",
      "cache-aside with invalidation",
    ],
    ["fanOut", { followersMax: 9999 }, { followersMax: 10_000 }, "push on write", "push for most"],
    ["database", { rowsScannedPerRow: 99 }, { rowsScannedPerRow: 100 }, "nothing", "an index"],
    ["database", { readRps: 7000 }, { readRps: 7600 }, "nothing", "a cache"],
    [
      "database",
      { hotShare: 0, readRps: 13_900, writeRps: 0 },
      { hotShare: 0, readRps: 14_000, writeRps: 0 },
      "nothing",
      "a bigger machine",
    ],
    ["database", { sizeBytes: 99e9 }, { sizeBytes: 100e9 }, "nothing", "partitions"],
  ];
  for (const [rule, below, above, from, to] of rows) {
    test(`${rule}: ${from}, then ${to}`, () => {
      expect(choice(rule, below)).toStartWith(from);
      expect(choice(rule, above)).toStartWith(to);
    });
  }
});

test("a system of a thousand users is told not to shard", () => {
  expect(choice("database", { readRps: 10, writeRps: 1, sizeBytes: 1e9 })).toBe(
    "nothing: do not shard, do not partition",
  );
});

test("a blog of ten million readers a day: five answers, each with its reason", () => {
  const outcome = parseFacts({
    reads: "5787/s",
    writes: "6/s",
    size: "200GB",
    hotShare: "90%",
    stale: "30s",
    availability: "99.95%",
    state: "none",
  });
  if (outcome.kind === "problems") throw new Error(JSON.stringify(outcome.problems));
  const report = chooseReport(outcome.value, ["scaling", "algorithm", "sessions", "consistency", "database"]);
  expect(report.answer).toEqual([
    expect.stringContaining("several: 12 servers"),
    expect.stringContaining("round-robin"),
    expect.stringContaining("stateless"),
    expect.stringContaining("AP"),
    expect.stringContaining("partitions"),
  ]);
  for (const { formula } of figuresOf(report)) expect(formula).not.toBe("");
});

describe("100,000/s at p99 < 50 ms from servers of 5,000/s at 30 ms", () => {
  const { readings, answer } = serversForChallenge({
    rateRps: 100_000,
    objectiveMs: 50,
    serverRps: 5000,
    serverP99Ms: 30,
  });
  const reading = (name: string) => readings.find((one) => one.name.startsWith(name))!;

  test("needs 30", () => expect(answer).toBe(30));

  const rows: [name: string, perServer: number | undefined, servers: number, withOneLost: number][] = [
    ["naive", 5000, 20, 21],
    ["1 worker", 5061, 20, 21],
    ["16 workers", 5076, 20, 21],
    ["32 workers", 5251, 20, 21],
    ["50 workers", 7561, 14, 15],
    ["70 % headroom", 3500, 29, 30],
    ["lose 1 of 3", 5000, 30, 30],
    ["0.1 %", undefined, 21, 21],
    ["0.5 %", undefined, 23, 23],
    ["1 %", undefined, 25, 25],
    ["2 %", undefined, 33, 33],
    ["5 %", undefined, Infinity, Infinity],
  ];
  for (const [name, perServer, servers, withOneLost] of rows) {
    test(`${name}: ${servers}`, () => {
      const { perServerRps, ...counts } = reading(name);
      expect(perServerRps === undefined ? undefined : Math.round(perServerRps)).toBe(perServer);
      expect(counts).toMatchObject({ servers, withOneLost });
    });
  }
});

describe("facts that cannot be are refused", () => {
  const rows: [input: object, line: string][] = [
    [{ hotShare: "130%" }, 'hotShare: is the string "130%"'],
    [{ reads: "100" }, 'reads: is the string "100"; write a rate such as "100/s"'],
    [{ size: "10M" }, 'write "10MiB" (1024s) or "10MB" (1000s)'],
    [{ reeds: "1/s" }, 'reeds: is not a known key; did you mean "reads"?'],
    [{ state: "rooms" }, 'did you mean "room"?'],
    [{ writes: Number.NaN }, "writes: is a NaN"],
  ];
  for (const [input, line] of rows) {
    test(JSON.stringify(input), () => {
      const outcome = parseFacts(input);
      const lines =
        outcome.kind === "problems"
          ? outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`)
          : [];
      expect(lines.join("\n")).toContain(line);
    });
  }
});
