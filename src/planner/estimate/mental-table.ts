/** Exact and mental figures side by side, with how far the mental one is off and what was rounded to get it. */
import { type Figure, type FigureParts, type FigureRow, figure } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { errorOf, type Mental } from "./mental.ts";

/** One line: the exact figure and the mental one, where there is a way to reckon it. */
export type MentalRow = readonly [exact: Figure, mental: Mental | undefined];

/** Hundredths of a percent: below, an error is that of the arithmetic here. */
const ERROR_DIGITS = 4;

/** What goes into a figure. */
export type Inputs = NonNullable<FigureParts["inputs"]>;

/** The table. */
export function mentalTable(title: string, rows: readonly MentalRow[]): Table {
  return {
    kind: "table",
    title,
    columns: [
      { title: "what" },
      { title: "exact", align: "right" },
      { title: "in one's head", align: "right" },
      { title: "off by", align: "right" },
      { title: "rounded" },
    ],
    rows: rows.map(([exact, mental]) => {
      if (mental === undefined) return [exact.label, exact, "", "", ""];
      const error = errorOf(mental, exact.value);
      return [
        exact.label,
        exact,
        mentalFigure(exact, mental),
        error === undefined ? "" : formatNumber(Number(error.toFixed(ERROR_DIGITS)), "share", 2),
        mental.rounded.join(", "),
      ];
    }),
  };
}

/** A line from the parts of its exact figure. */
export function mentalRow(
  mental: Mental | undefined,
  [key, label, value, unit, formula, own]: FigureRow,
): MentalRow {
  return [figure({ key, label, value, unit, formula, ...own }), mental];
}

function mentalFigure({ key, label, unit }: Figure, { value, words, rounded }: Mental): Figure {
  return figure({
    key: `${key}InHead`,
    label: `${label}, in one's head`,
    value,
    unit,
    formula: rounded.length === 0 ? words : `${words} (${rounded.join(", ")})`,
    digits: 2,
  });
}
