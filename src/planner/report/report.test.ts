import { describe, expect, test } from "bun:test";
import { plotCsv, tableCsv } from "./csv.ts";
import { explainFigure } from "./explain.ts";
import { figure } from "./figure.ts";
import { toJson } from "./json.ts";
import { toMarkdown } from "./markdown.ts";
import { figuresOf } from "./report.ts";
import { scaleFor } from "./scale.ts";
import { svgPlot } from "./svg-plot.ts";
import { terminalPlot } from "./terminal-plot.ts";
import { PLOT, REPORT, TABLE } from "./testing.ts";

describe("a figure", () => {
  test("that is not a number is a bug, not an answer", () => {
    const nan = { key: "x", label: "x", value: Number.NaN, unit: "count", formula: "0 / 0" } as const;
    expect(() => figure(nan)).toThrow("x is not a number");
  });

  test("says its formula, inputs and source", () => {
    expect(explainFigure(figuresOf(REPORT)[0]!)).toEqual([
      "reads per second: 1,157,407/s",
      "  = reads per day / 86,400 s",
      "  with reads per day = 100 G",
      "  after arithmetic",
    ]);
  });

  test("is listed once, in reading order", () => {
    const twice = { ...REPORT, sections: [TABLE, TABLE] };
    expect(figuresOf(twice).map(({ key }) => key)).toEqual(["reads", "wait"]);
  });
});

describe("formats", () => {
  test("JSON survives a round trip, infinity as a word", () => {
    expect(JSON.parse(JSON.stringify(toJson(REPORT)))).toMatchObject({
      figures: {
        reads: { value: 1_157_407.4, unit: "perSecond", inputs: { "reads per day": 1e11 } },
        wait: { value: "unbounded" },
      },
      sections: [{ kind: "table" }, { kind: "plot" }, { kind: "notes" }],
    });
  });

  test("Markdown lets no name break out of its cell", () => {
    const text = toMarkdown(REPORT, { explain: true });
    expect(text).toContain(String.raw`| \<b\>\|reads | 1,157,407/s |`);
    expect(text).toContain(String.raw`- None of \*these\* are known.`);
    expect(text).toContain("  = reads per day / 86,400 s");
  });

  test("CSV doubles quotes, ends records with CRLF, and hands no formula to a spreadsheet", () => {
    expect(tableCsv(TABLE)).toBe("What,Value\r\n<b>|reads,1157407.4\r\n'=1+1,Infinity\r\n");
    expect(plotCsv(PLOT)).toContain("p99,45,\r\n");
  });

  test("SVG escapes text and draws a gap as a gap", () => {
    const svg = svgPlot(PLOT);
    expect(svg).toContain("p99 &#38; load");
    expect(svg).toMatch(/d="M[\d. ]+M[\d. ]+"/);
    expect(svg).not.toContain("NaN");
  });
});

describe("scales", () => {
  const rows: [values: number[], scale: "linear" | "log", ticks: number[]][] = [
    [[0, 97], "linear", [0, 20, 40, 60, 80, 100]],
    [[0.1, 0.34], "linear", [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]],
    [[-5, 5], "linear", [-6, -4, -2, 0, 2, 4, 6]],
    [[], "linear", [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[7, 7], "linear", [0, 1, 2, 3, 4, 5, 6, 7]],
    [[3, 2000], "log", [1, 10, 100, 1000, 10_000]],
    [[0, Number.NaN], "log", [0.1, 1]],
  ];
  for (const [values, scale, ticks] of rows) {
    test(`${scale} over [${values.join()}] has ticks ${ticks.join()}`, () => {
      expect(scaleFor({ label: "", scale }, values).ticks).toEqual(ticks);
    });
  }

  test("a value is where its place says", () => {
    for (const scale of ["linear", "log"] as const) {
      const { place, valueAt } = scaleFor({ label: "", scale }, [1, 900]);
      expect(valueAt(place(42))).toBeCloseTo(42, 9);
    }
  });
});

test("a terminal plot keeps its size, names its series and shows the objective", () => {
  const lines = terminalPlot(PLOT, { columns: 40, rows: 9 });
  expect(lines).toHaveLength(1 + 1 + 9 + 1 + 1 + 1);
  expect(lines.join("\n")).toContain("- objective ---");
  expect(lines.at(-1)).toContain("* p50   o p99");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(70);
});
