/** A small report for tests: every kind of section, and names that try to break out of each format. */
import { figure } from "./figure.ts";
import type { Plot, Report, Table } from "./report.ts";

/** Two figures and a name full of markup. */
export const TABLE: Table = {
  kind: "table",
  title: "Load",
  columns: [{ title: "What" }, { title: "Value", align: "right" }],
  rows: [
    [
      "<b>|reads",
      figure({
        key: "reads",
        label: "reads per second",
        value: 1_157_407.4,
        unit: "perSecond",
        formula: "reads per day / 86,400 s",
        inputs: [["reads per day", 1e11, "count"]],
        source: "arithmetic",
      }),
    ],
    ["=1+1", figure({ key: "wait", label: "wait", value: Infinity, unit: "ms", formula: "none" })],
  ],
};

/** Two lines with a gap, and an objective. */
export const PLOT: Plot = {
  kind: "plot",
  title: "p99 & load",
  x: { label: "requests/s" },
  y: { label: "ms" },
  series: [
    { name: "p50", points: Array.from({ length: 10 }, (_, i) => [i * 10, 10 / (1 - i / 10)] as const) },
    {
      name: "p99",
      points: [
        [0, 46],
        [45, Number.NaN],
        [90, 460],
      ],
    },
  ],
  mark: { y: 200, label: "objective" },
};

/** All of it. */
export const REPORT: Report = {
  title: "A report",
  answer: ["It holds."],
  sections: [TABLE, PLOT, { kind: "notes", title: "Doubts", lines: ["None of *these* are known."] }],
};
