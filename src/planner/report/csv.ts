/** Tables and plots as comma-separated values (RFC 4180), raw numbers, for spreadsheets. */
import type { Cell, Plot, Table } from "./report.ts";

/** The table with its titles as the first record. */
export function tableCsv({ columns, rows }: Table): string {
  return records([columns.map(({ title }) => title), ...rows.map((row) => row.map(raw))]);
}

/** One record per point: series, x, y. A gap is an empty y. */
export function plotCsv({ x, y, series }: Plot): string {
  const points = series.flatMap(({ name, points: of }) =>
    of.map(([at, value]) => [name, String(at), Number.isNaN(value) ? "" : String(value)]),
  );
  return records([["series", x.label, y.label], ...points]);
}

function raw(cell: Cell): string {
  return typeof cell === "string" ? cell : String(cell.value);
}

function records(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

/** A field that a spreadsheet would run as a formula is only text; quotes are doubled (section 2.7). */
function field(text: string): string {
  const isFormula = /^[=+\-@\t]/.test(text) && Number.isNaN(Number(text));
  const inert = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
