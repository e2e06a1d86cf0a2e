/** The commonest table: a figure to each line. */
import type { Figure } from "./figure.ts";
import type { Table } from "./report.ts";

/** Figures as a table of two columns. */
export function valueTable(title: string, figures: readonly Figure[]): Table {
  return {
    kind: "table",
    title,
    columns: [{ title: "what" }, { title: "value", align: "right" }],
    rows: figures.map((one) => [one.label, one]),
  };
}
