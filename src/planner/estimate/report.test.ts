/** What a reader of an estimate is told. */
import { describe, expect, test } from "bun:test";
import { figuresOf, type Report } from "../report/report.ts";
import { cpuReport, estimateReport, latencyReport, PRESETS, PRICES, powersReport } from "./index.ts";

const REPORTS: [name: string, report: Report][] = Object.entries(PRESETS).map(([name, preset]) => [
  name,
  estimateReport({ ...preset, growth: 0.5 }, PRICES, { kind: "quantile", q: 0.99, ms: 2000 }),
]);

function textOf({ sections }: Report): string {
  return JSON.stringify(sections);
}

function cpuAnswer(question: Parameters<typeof cpuReport>[0]): string {
  const outcome = cpuReport(question);
  return outcome.kind === "ok"
    ? outcome.value.answer.join(" ")
    : outcome.problems.map(({ what }) => what).join();
}

describe("every figure of a preset", () => {
  for (const [name, report] of REPORTS) {
    test(`has a formula, no negative value and a key of its own: ${name}`, () => {
      const cells = report.sections.flatMap((section) =>
        section.kind === "table" ? section.rows.flat() : [],
      );
      const all = cells.filter((cell) => typeof cell !== "string");
      expect(figuresOf(report)).toHaveLength(all.length);
      for (const { formula, value } of all) {
        expect(formula).not.toBe("");
        expect(value).toBeGreaterThanOrEqual(0);
      }
    });
  }
});

describe("the answer dares", () => {
  const rows: [preset: string, said: string[]][] = [
    [
      "blog",
      ["One primary with 1 replica, a cache of 100 MB, a CDN and 2 app servers are enough", "do not shard."],
    ],
    [
      "twitter",
      ["plan for 92 shards", "full after 20 days", "1.85 Tbit/s of files", "a CDN is not optional"],
    ],
    ["chat", ["plan for 73 shards"]],
    ["short-links", ["One primary with 2 replicas, a cache of 100 MB and 2 app servers are enough"]],
  ];
  for (const [preset, said] of rows) {
    test(`${preset}: ${said[0]}`, () => {
      const answer = estimateReport(PRESETS[preset]!, PRICES).answer.join(" ");
      for (const part of said) expect(answer).toContain(part);
    });
  }
});

test("a workload that outgrows its first servers says so", () => {
  const { answer } = estimateReport({ ...PRESETS["blog"]!, growth: 1 }, PRICES);
  expect(answer.join(" ")).toContain("At 100 % growth a year the traffic is 32 times as much after 5 years");
});

test("much sent without a CDN asks for one", () => {
  const { answer } = estimateReport({ ...PRESETS["photos"]!, cdnShare: 0 }, PRICES);
  expect(answer.join(" ")).toContain("put a CDN in front of what many people get alike");
});

describe("servers for one rate", () => {
  const rows: [question: Parameters<typeof cpuReport>[0], said: string][] = [
    [
      { rateRps: 10_000 },
      "100 cores: 25 servers of 4 as the floor, 36 at 70 % busy, 37 with 1 to spare. The floor keeps all cores 100 % busy",
    ],
    [{ rateRps: 0 }, "1 server of 4 as the floor"],
    [{ rateRps: 1e15 }, "would need 1e+13 cores"],
    [
      { rateRps: 10_000, objective: { kind: "quantile", q: 0.99, ms: 50 } },
      "A p99 of at most 50 ms needs 26 to 42 of them, by how well they are balanced; 43 keep it",
    ],
    [
      { rateRps: 100, objective: { kind: "mean", ms: 5 } },
      "No number of servers keeps a mean of at most 5 ms",
    ],
    [{ rateRps: 3e8, objective: { kind: "mean", ms: 15 } }, "No sensible number of servers"],
  ];
  for (const [question, said] of rows) test(said, () => expect(cpuAnswer(question)).toContain(said));
});

test("powers of two are printed to the last digit", () => {
  expect(textOf(powersReport())).toContain("1,125,899,906,842,624");
});

test("what was measured stands beside what was published, in its row", () => {
  const ms = new Map([["ram" as const, 2e-4]]);
  const text = textOf(latencyReport({ ms, remarks: ["it was late"] }));
  expect(text).toContain('["main memory","100 ns","100 ns","100 ns",{"kind":"figure","key":"ramMs"');
  expect(text).toContain("it was late");
  expect(text).not.toContain("synced");
});
