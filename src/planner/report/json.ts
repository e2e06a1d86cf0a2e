/**
 * A report as plain data for scripts: each figure by its key with value, unit, formula and inputs; tables with raw
 * values; plots with their points. What is unbounded is the text "unbounded", since JSON knows no infinity.
 */
import { type Figure, formatFigure } from "./figure.ts";
import { type Cell, figuresOf, type Report, type Section } from "./report.ts";

/** A value that `JSON.stringify` writes without loss. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The report as data. */
export function toJson(report: Report): Json {
  return {
    title: report.title,
    answer: report.answer,
    figures: Object.fromEntries(figuresOf(report).map((figure) => [figure.key, figureData(figure)])),
    sections: report.sections.map(sectionData),
  };
}

function figureData({ label, value, unit, formula, inputs, source }: Figure): Json {
  return {
    label,
    value: number(value),
    unit,
    formula,
    inputs: Object.fromEntries(inputs.map((input) => [input.name, number(input.value)])),
    ...(source === undefined ? {} : { source }),
  };
}

function sectionData(section: Section): Json {
  const { title } = section;
  switch (section.kind) {
    case "table":
      return {
        kind: "table",
        title,
        columns: section.columns.map((column) => column.title),
        rows: section.rows.map((row) => row.map(cellData)),
      };
    case "plot":
      return {
        kind: "plot",
        title,
        x: section.x.label,
        y: section.y.label,
        series: section.series.map(({ name, points }) => ({
          name,
          points: points.map(([x, y]) => [number(x), number(y)]),
        })),
      };
    case "notes":
      return { kind: "notes", title, lines: section.lines };
  }
}

function cellData(cell: Cell): Json {
  return typeof cell === "string"
    ? cell
    : { key: cell.key, value: number(cell.value), text: formatFigure(cell) };
}

function number(value: number): number | string | null {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? null : "unbounded";
}
