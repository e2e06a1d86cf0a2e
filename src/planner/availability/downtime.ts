/** What an availability means in time, and what each number of nines allows. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { YEAR_MS } from "./system.ts";

const DAY_MS = 86_400_000;

/** Spans over which downtime is told; a month has 30 days here, as in most service agreements. */
const SPANS = [
  ["year", "Year", YEAR_MS],
  ["month of 30 days", "Month", 30 * DAY_MS],
  ["week", "Week", 7 * DAY_MS],
  ["day", "Day", DAY_MS],
] as const;

/** Unavailabilities of the classes that people speak of. */
const NINES = [1e-1, 1e-2, 1e-3, 5e-4, 1e-4, 1e-5, 1e-6];

/** Digits of a percentage that are always printed: 99.930011 %. */
const DIGITS_MIN = 8;

/** Digits that a double holds. */
const DIGITS_MAX = 15;

/** Significant digits with which an availability does not read 100 % unless it is: its nines, and two more. */
function digitsOf(unavailability: number): number {
  if (unavailability <= 0) return DIGITS_MIN;
  return Math.min(DIGITS_MAX, Math.max(DIGITS_MIN, Math.ceil(-Math.log10(unavailability)) + 2));
}

/** "99.930011 %", with as many digits as its nines need. */
export function formatAvailability(unavailability: number): string {
  const text = formatNumber(1 - unavailability, "availability", digitsOf(unavailability));
  return text === "100 %" && unavailability > 0 ? `more than 99.${"9".repeat(DIGITS_MAX - 2)} %` : text;
}

/** "367.9 min". */
export function formatDowntime(ms: number): string {
  return formatNumber(ms, "ms", 4);
}

/** An availability whose digits show all of its nines. */
export function availabilityFigure(
  unavailability: number,
  parts: Pick<Figure, "key" | "label" | "formula"> & Partial<Pick<Figure, "source">>,
): Figure {
  const digits = digitsOf(unavailability);
  return figure({
    ...parts,
    value: 1 - unavailability,
    unit: "availability",
    digits,
    inputs: [["unavailability", unavailability, "ratio"]],
  });
}

/** What a target allows. */
export function allowedReport(unavailability: number): Report {
  return {
    title: `${formatAvailability(unavailability)} availability`,
    answer: [`It allows ${formatDowntime(unavailability * YEAR_MS)} of downtime a year.`],
    sections: [downtimeTable(unavailability, "given"), ninesTable()],
  };
}

/** Downtime over each span, below the availability that `formula` gave. */
export function downtimeTable(unavailability: number, formula: string): Table {
  return {
    kind: "table",
    title: "Downtime",
    columns: [{ title: "in a" }, { title: "time", align: "right" }],
    rows: [
      [
        "availability",
        availabilityFigure(unavailability, {
          key: "availability",
          label: "availability",
          ...origin(formula),
        }),
      ],
      ...SPANS.map(([span, name, ms]) => [span, downtimeFigure([span, name, ms], unavailability)]),
    ],
  };
}

function origin(formula: string): Pick<Figure, "formula" | "source"> {
  if (formula === "given") return { formula };
  const source = "series: product of A; k of n: sum over i >= k of C(n,i) A^i (1-A)^(n-i)";
  return { formula, source };
}

function downtimeFigure([span, name, ms]: readonly [string, string, number], unavailability: number): Figure {
  return figure({
    key: `downtimePer${name}`,
    label: `downtime in a ${span}`,
    value: unavailability * ms,
    unit: "ms",
    formula: `unavailability x ${span}`,
    inputs: [
      ["unavailability", unavailability, "ratio"],
      [span, ms, "ms"],
    ],
  });
}

function ninesTable(): Section {
  return {
    kind: "table",
    title: "Nines",
    columns: [
      { title: "available" },
      ...SPANS.map(([span]) => ({ title: `in a ${span}`, align: "right" as const })),
    ],
    rows: NINES.map((unavailability) => [
      formatAvailability(unavailability),
      ...SPANS.map(([, , ms]) => formatDowntime(unavailability * ms)),
    ]),
  };
}
