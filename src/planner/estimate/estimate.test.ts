import { describe, expect, test } from "bun:test";
import { figuresOf } from "../report/report.ts";
import { estimate, serversFor } from "./estimate.ts";
import { estimateReport, PRESETS, PRICES, parsePrices, parseWorkload } from "./index.ts";
import { DEFAULTS, type Workload } from "./workload.ts";

const twitter = estimate(PRESETS["twitter"]!, PRICES);
const blog = estimate(PRESETS["blog"]!, PRICES);

describe("the exercises", () => {
  const rows: [name: string, got: number, printed: number][] = [
    ["twitter: writes a second", Math.round(twitter.writeRps), 11_574],
    ["twitter: reads a second", Math.round(twitter.readRps), 1_157_407],
    ["twitter: writes at the peak", Math.round(twitter.peakWriteRps), 23_148],
    ["twitter: reads at the peak", Math.round(twitter.peakReadRps), 2_314_815],
    ["twitter: text a day, GB", twitter.textPerDay / 1e9, 500],
    ["twitter: text a year, TB", twitter.textPerYear / 1e12, 182.5],
    ["twitter: text in five years, PB", twitter.textKept / 1e15, 0.9125],
    ["twitter: photos a day, TB", twitter.filesPerDay / 1e12, 200],
    ["twitter: photos a year, PB", twitter.filesPerYear / 1e15, 73],
    ["twitter: photos in three copies, PB", (twitter.filesPerYear * 3) / 1e15, 219],
    ["twitter: text egress, Gbit/s", Number((twitter.textEgressBps / 1e9).toFixed(2)), 4.63],
    ["twitter: photo egress, Tbit/s", Number((twitter.fileEgressBps / 1e12).toFixed(2)), 1.85],
    ["twitter: hot 20 % of a day's text, GB", twitter.cacheBytes / 1e9, 100],
    ["blog: views a second", Math.round(blog.readRps), 1157],
    ["blog: views at the peak", Math.round(blog.peakReadRps), 5787],
    ["blog: posts a second", Number(blog.writeRps.toFixed(2)), 1.16],
    ["blog: egress, Gbit/s", Number((blog.textEgressBps / 1e9).toFixed(2)), 0.93],
    ["blog: egress a day, TB", blog.egressPerDay / 1e12, 10],
    ["blog: text a year, GB", blog.textPerYear / 1e9, 182.5],
    ["blog: images a year, TB", blog.filesPerYear / 1e12, 18.25],
  ];
  for (const [name, got, printed] of rows)
    test(`${name}: ${printed}`, () => expect(got).toBeCloseTo(printed, 9));

  test("10,000/s of 10 ms are 100 cores: 25 servers as the floor, 36 at 70 %, 37 with one to spare", () => {
    const workload: Workload = { ...DEFAULTS, name: "", users: 0, actions: [] };
    expect(serversFor(10_000, workload)).toEqual({ cores: 100, floor: 25, target: 36, withSpare: 37 });
  });

  test("a blog is told not to shard, twitter to plan for it", () => {
    const answer = (name: string) => estimateReport(PRESETS[name]!, PRICES).answer.join(" ");
    expect(answer("blog")).toContain("do not shard");
    expect(answer("twitter")).toContain("plan for shards");
  });
});

test("no figure of any preset is without a formula, and none is negative", () => {
  for (const preset of Object.values(PRESETS)) {
    for (const { formula, value } of figuresOf(estimateReport(preset, PRICES))) {
      expect(formula).not.toBe("");
      expect(value).toBeGreaterThanOrEqual(0);
    }
  }
});

test("growth of half a year on year keeps 4.75 years' worth in three", () => {
  const workload = { ...PRESETS["blog"]!, years: 3, growth: 0.5 };
  expect(estimate(workload, PRICES).textKept / blog.textPerYear).toBeCloseTo(4.75, 9);
});

describe("what people write", () => {
  const good = parseWorkload({
    users: "2M",
    actions: [
      {
        name: "views",
        kind: "read",
        perUser: 10,
        answer: "100KB",
        attachment: { share: "10%", size: "2MB" },
      },
    ],
    growth: "50%",
  });

  test("is read with its units, the rest by default", () => {
    if (good.kind === "problems") throw new Error(JSON.stringify(good.problems));
    expect(good.value).toMatchObject({ users: 2e6, growth: 0.5, peak: 2 });
    expect(good.value.actions[0]).toMatchObject({
      perDay: 2e7,
      answerBytes: 1e5,
      attachment: { share: 0.1, bytes: 2e6 },
    });
  });

  test("scales a preset by its users", () => {
    const outcome = parseWorkload({ preset: "blog", users: "1M" });
    expect(outcome.kind === "ok" && outcome.value.actions.map(({ perDay }) => perDay)).toEqual([1e4, 1e7]);
  });

  const rows: [input: unknown, line: string][] = [
    [{}, "actions: are missing"],
    [{ preset: "blgo" }, 'preset: is "blgo"; write one of twitter, blog'],
    [{ preset: "blog", users: "many" }, 'users: is the string "many"; write a number'],
    [{ preset: "blog", users: -1 }, "users: is -1"],
    [{ preset: "blog", users: Number.NaN }, "users: is a NaN"],
    [{ preset: "blog", peek: 3 }, 'peek: is not a known key; did you mean "peak"?'],
    [
      { users: 1, actions: [{ name: "a", kind: "read", perUser: 1, answer: "10M" }] },
      'write "10MiB" (1024s) or "10MB" (1000s)',
    ],
  ];
  for (const [input, line] of rows) {
    test(JSON.stringify(input), () => {
      const outcome = parseWorkload(input);
      const lines =
        outcome.kind === "problems"
          ? outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`)
          : [];
      expect(lines.join("\n")).toContain(line);
    });
  }

  test("prices are replaced row by row, and a strange row is named", () => {
    expect(parsePrices({ corePerMonth: 12, currency: "EUR" })).toMatchObject({
      kind: "ok",
      value: { corePerMonth: 12, currency: "EUR", cdnPerGb: 0.02 },
    });
    expect(parsePrices({ corPerMonth: 12 })).toMatchObject({
      problems: [{ mend: "did you mean corePerMonth?" }],
    });
    expect(parsePrices({ corePerMonth: -1 })).toMatchObject({ problems: [{ what: "is -1" }] });
  });
});
