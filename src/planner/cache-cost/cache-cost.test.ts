import { describe, expect, test } from "bun:test";
import type { CacheUsage, FolderUse, Use } from "../../edge/index.ts";
import { explainFigure } from "../report/explain.ts";
import { figuresOf, type Report } from "../report/report.ts";
import { type CacheWindow, cacheCostReport, grownBetween, parseCachePrices } from "./index.ts";

const HOUR_MS = 3_600_000;

/** An hour with round numbers: 1 M requests, 900,000 from the store, 10 GB to clients, 1 GB from targets. */
const WINDOW: CacheWindow = {
  spanMs: HOUR_MS,
  capacityBytes: 1e9,
  results: { hit: 890_000, stale: 6000, revalidated: 4000, miss: 80_000, collapsed: 5000, bypass: 15_000 },
  answeredBytes: 10e9,
  servedBytes: 9e9,
  fetches: 100_000,
  fetchedBytes: 1e9,
  purges: 10,
  stored: 50_000,
  notUsedAgain: 20_000,
  crowdedOut: 25_000,
};

/** Prices that can be reckoned with in one's head. */
const PRICES = {
  currency: "USD",
  asOf: "2025",
  edgeGb: 0.02,
  shieldGb: 0.01,
  originGb: 0.1,
  edgeMillionRequests: 0.5,
  originMillionRequests: 0.2,
  purgePath: 0.005,
  memoryGbPerMonth: 4,
};

const NO_USE: Use = {
  responses: 0,
  bytes: 0,
  hits: 0,
  hitBytes: 0,
  settled: 0,
  unasked: 0,
  unaskedBytes: 0,
  hitsPerS: 0,
  hitBytesPerS: 0,
};

function usageOf(folders: readonly Partial<FolderUse>[], looked = 1): CacheUsage {
  const filled = folders.map((folder) => ({ name: "h/a/", rules: ["web/1"], ...NO_USE, ...folder }));
  return { looked, settleS: 600, all: NO_USE, rules: [], folders: filled, types: [], sizes: [] };
}

function reportOf(over: Partial<Parameters<typeof cacheCostReport>[0]> = {}): Report {
  const forwardOf = (): string => "web";
  return cacheCostReport({
    window: WINDOW,
    usage: usageOf([]),
    prices: PRICES,
    upstream: "origin",
    forwardOf,
    ...over,
  });
}

function valueOf(report: Report, key: string): number {
  return figuresOf(report).find((figure) => figure.key === key)?.value ?? Number.NaN;
}

function adviceIn({ sections }: Report): readonly string[] {
  const notes = sections.find(({ title }) => title === "Not worth keeping");
  return notes?.kind === "notes" ? notes.lines : [];
}

describe("what a cache costs", () => {
  test("an hour stands for 720, each part at its price", () => {
    const report = reportOf();
    const rows: [key: string, value: number][] = [
      ["edgeCost", 10 * 720 * 0.02],
      ["fetchedCost", 1 * 720 * 0.1],
      ["requestsCost", 1 * 720 * 0.5],
      ["fetchesCost", 0.1 * 720 * 0.2],
      ["purgesCost", 10 * 720 * 0.005],
      ["memoryCost", 4],
      ["totalCost", 144 + 72 + 360 + 14.4 + 36 + 4],
      ["withoutEgressCost", 10 * 720 * 0.1],
      ["withoutRequestsCost", 1 * 720 * 0.2],
      ["withoutTotalCost", 720 + 144],
      ["saving", 864 - 630.4],
    ];
    for (const [key, value] of rows)
      expect([key, valueOf(report, key)]).toEqual([key, expect.closeTo(value, 6)]);
  });

  test("the answer says what is saved, and up to which share of fetched bytes that is so", () => {
    // 233.6 are saved at 86.4 for what is fetched: so much may be fetched 1 + 233.6 / 86.4 times over.
    expect(reportOf().answer).toEqual([
      "At this traffic a month costs 630 USD with the cache and 864 without it: it saves 234.",
      "90 % of the requests came from the store; targets sent 10 % of the bytes that clients got; at these prices it pays up to 37 %.",
    ]);
  });

  test("a cache that costs more than it saves is told so", () => {
    const [answer] = reportOf({ prices: { ...PRICES, originGb: 0.001 } }).answer;
    expect(answer).toEndWith("it costs 408 more than it saves.");
  });

  test("bytes of a shield have its price", () => {
    expect(valueOf(reportOf({ upstream: "shield" }), "fetchedCost")).toBeCloseTo(7.2, 6);
  });

  test("one-hit wonders are what left unasked, of what was kept", () => {
    expect(valueOf(reportOf(), "oneHitShare")).toBe(0.4);
  });

  test("every number names its formula", () => {
    const lines = figuresOf(reportOf()).flatMap(explainFigure);
    expect(lines.filter((line) => line.startsWith("  = ")).length).toBe(figuresOf(reportOf()).length);
    expect(lines).toContain("  with bytes = 10 GB, span = 60 min, price = 0.02");
  });

  test("a window is the difference of two readings, also of results that one of them lacks", () => {
    const before = { ...WINDOW, results: { hit: 1000 }, fetches: 1 };
    const grown = grownBetween(before, WINDOW);
    expect(grown.results).toMatchObject({ hit: 889_000, miss: 80_000 });
    expect([grown.fetches, grown.answeredBytes]).toEqual([99_999, 0]);
  });

  test("prices are replaced row by row, and a wrong row is refused with the one that was meant", () => {
    expect(parseCachePrices({ edgeGb: 0.01 })).toMatchObject({ kind: "ok", value: { edgeGb: 0.01 } });
    const rows: [input: unknown, what: string, mend: string][] = [
      [{ edgeGB: 1 }, "is no row of the table", "did you mean edgeGb?"],
      [{ purgePath: "1" }, 'is "1"', "write a number from 0 to 1000000000"],
      [[], "are no table", 'write rows such as "edgeGb: 25"'],
    ];
    for (const [input, what, mend] of rows)
      expect(parseCachePrices(input)).toMatchObject({ kind: "problems", problems: [{ what, mend }] });
  });
});

describe("what is not worth keeping", () => {
  const poor = { responses: 60, settled: 60, unasked: 57, bytes: 50e6, hits: 3 };

  test("a folder is judged by 50 settled responses, not by fewer", () => {
    const early = reportOf({ usage: usageOf([{ ...poor, settled: 49, unasked: 49 }]) });
    expect(adviceIn(early)).toEqual([
      "not enough data yet: a folder is judged by 50 responses that have been there for 10 min, and the fullest has 49",
    ]);
  });

  test("a folder that hardly anybody asks for again is named with the rule that leaves it out", () => {
    const usage = usageOf([{ ...poor, name: "shop.example:8443/reports/" }]);
    expect(adviceIn(reportOf({ usage }))).toEqual([
      "shop.example:8443/reports/: nobody asked again for 57 of 60 (95 %; 90 % is the mark), 50 MB for 0.2/month that save 0/month",
      'before rule web/1, with its other settings: { match: { host: "shop.example", path: "/reports/*" }, cache: false, forward: "web" }',
      "other responses left for want of room: without these the rest stays longer",
    ]);
  });

  test("what saves more than it costs stays, however seldom it is asked for", () => {
    const usage = usageOf([{ ...poor, hitBytesPerS: 1e6 }]);
    expect(adviceIn(reportOf({ usage }))).toEqual([
      "nothing: of the 1 folder with 50 responses that have been there for 10 min, each is asked for again, or saves more than it costs",
    ]);
  });

  test("what is asked for again stays", () => {
    const usage = usageOf([
      { ...poor, unasked: 53 },
      { ...poor, name: "h/b/", unasked: 10 },
    ]);
    expect(adviceIn(reportOf({ usage }))[0]).toStartWith("nothing: of the 2 folders");
  });

  test("a folder below one that is named is not named again", () => {
    const usage = usageOf([poor, { ...poor, name: "h/a/b/" }, { ...poor, name: "h/ab/" }]);
    const named = adviceIn(reportOf({ usage })).filter((line) => line.startsWith("h/"));
    expect(named.map((line) => line.split(":")[0])).toEqual(["h/a/", "h/ab/"]);
  });

  test("a rule that cannot be written by a machine is described", () => {
    const rows: Partial<FolderUse>[] = [{ name: "h/a*b/" }, { rules: ["web/1", "web/2"] }];
    for (const folder of rows) {
      const [, line] = adviceIn(reportOf({ usage: usageOf([{ ...poor, ...folder }]) }));
      expect(line).toContain("that forwards as it does, with cache: false");
    }
    const split = reportOf({ usage: usageOf([poor]), forwardOf: () => undefined });
    expect(adviceIn(split)[1]).toStartWith("before rule web/1, put one for h/a/");
  });

  test("what lies beyond the folders that are told apart is never named", () => {
    expect(adviceIn(reportOf({ usage: usageOf([{ ...poor, name: "others" }]) }))[0]).toStartWith(
      "not enough",
    );
  });

  test("without want of room it says that nothing is gained at once", () => {
    const window = { ...WINDOW, crowdedOut: 0 };
    expect(adviceIn(reportOf({ window, usage: usageOf([poor]) })).at(-1)).toStartWith("the memory has room");
  });

  test("a sample is scaled up", () => {
    const usage = usageOf([{ ...poor, name: "h/a/" }], 0.25);
    const report = reportOf({ usage });
    expect(valueOf(report, "folder1Bytes")).toBe(200e6);
    expect(valueOf(report, "folder1Costs")).toBeCloseTo(0.8, 6);
  });
});
