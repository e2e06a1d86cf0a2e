/**
 * A report: what every command of the planner answers with, before anybody decides how it looks.
 *
 *   answer (sentences) -> tables, plots, notes -> text, Markdown, JSON, or the formula behind each number
 *
 * Builders of reports are pure; a terminal, a document and a browser render the same one.
 */
import type { Figure } from "./figure.ts";

/** A place in a table: words, or a number that can explain itself. */
export type Cell = string | Figure;

/** One column. Numbers stand right, so that their digits line up. Default "left". */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Rows under titles; each row has as many cells as there are columns. */
export interface Table {
  readonly kind: "table";
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** One line of a plot. */
export interface Series {
  readonly name: string;
  /** In ascending order of x; a gap is a point whose y is NaN. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** An axis; `log` for values that span decades. */
export interface Axis {
  readonly label: string;
  readonly scale?: "linear" | "log";
}

/** Lines over a common pair of axes. */
export interface Plot {
  readonly kind: "plot";
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** A horizontal line with its name, such as the objective. */
  readonly mark?: { readonly y: number; readonly label: string };
}

/** Sentences below a heading. */
export interface Notes {
  readonly kind: "notes";
  readonly title: string;
  readonly lines: readonly string[];
}

/** One part of a report. */
export type Section = Table | Plot | Notes;

/** A whole answer. */
export interface Report {
  readonly title: string;
  /** The answer in a sentence or a few: what a reader in a hurry takes away. */
  readonly answer: readonly string[];
  readonly sections: readonly Section[];
}

/** Every figure of a report in reading order, each key once. */
export function figuresOf({ sections }: Report): Figure[] {
  const figures = new Map<string, Figure>();
  for (const section of sections) {
    if (section.kind !== "table") continue;
    for (const cell of section.rows.flat()) {
      if (typeof cell !== "string" && !figures.has(cell.key)) figures.set(cell.key, cell);
    }
  }
  return [...figures.values()];
}
