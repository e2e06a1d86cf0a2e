/** Latency numbers as a report: as published, and as measured where they were. */
import { type Figure, figure } from "../report/figure.ts";
import type { Cell, Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import {
  EDITIONS,
  type Edition,
  LATENCY_NUMBERS,
  type LatencyNumber,
  type Measurable,
} from "./latency-numbers.ts";

/** What was measured on a machine. */
export interface Measured {
  /** Medians. */
  readonly ms: ReadonlyMap<Measurable, number>;
  /** What a reader must know about them. */
  readonly remarks: readonly string[];
}

const YEARS = Object.keys(EDITIONS).map(Number) as Edition[];

/** The published numbers; with `measured`, this machine's beside them. */
export function latencyReport(measured?: Measured): Report {
  return {
    title: "How long things take",
    answer: [
      measured === undefined
        ? "As published, by year; --measure puts this machine beside them."
        : "As published, by year, and as this machine does it.",
    ],
    sections: [
      tableOf(measured),
      {
        kind: "notes",
        title: "Sources",
        lines: [
          ...YEARS.map((year) => `${year}: ${EDITIONS[year]}`),
          ...(measured === undefined ? [] : ["here: medians, measured just now", ...measured.remarks]),
        ],
      },
    ],
  };
}

function tableOf(measured: Measured | undefined): Table {
  const rows = LATENCY_NUMBERS.filter(
    ({ published, measurable }) =>
      Object.keys(published).length > 0 || (measurable !== undefined && measured?.ms.has(measurable)),
  );
  return {
    kind: "table",
    title: "Times",
    columns: [
      { title: "what" },
      ...YEARS.map((year) => ({ title: String(year), align: "right" as const })),
      ...(measured === undefined ? [] : [{ title: "here", align: "right" as const }]),
    ],
    rows: rows.map((row) => [
      row.what,
      ...YEARS.map((year) => publishedCell(row.published[year])),
      ...(measured === undefined ? [] : [measuredCell(row, measured)]),
    ]),
  };
}

function publishedCell(ms: number | undefined): string {
  return ms === undefined ? "-" : formatNumber(ms, "ms", 3);
}

function measuredCell({ what, measurable }: LatencyNumber, { ms }: Measured): Cell {
  const here = measurable === undefined ? undefined : ms.get(measurable);
  return measurable === undefined || here === undefined ? "-" : measuredFigure(measurable, what, here);
}

function measuredFigure(key: Measurable, what: string, value: number): Figure {
  return figure({
    key: `${key}Ms`,
    label: `${what}, here`,
    value,
    unit: "ms",
    formula: "median of repeated measurements on this machine",
    digits: 3,
  });
}
