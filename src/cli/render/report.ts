/** A report of the planner as a person reads it: the answer first, then tables and plots. */
import {
  explainFigure,
  figuresOf,
  formatFigure,
  PLOT_SIZE,
  type Report,
  type Cell as ReportCell,
  type Section,
  type Table,
  terminalPlot,
} from "../../planner/index.ts";
import type { Style } from "../style.ts";
import type { Terminal } from "../terminal.ts";
import { type Cell, table } from "./table.ts";

/** Room that a plot's labels take beside its area. */
const LABEL_COLUMNS = 20;

/** Narrower than this a plot says nothing. */
const PLOT_COLUMNS_MIN = 20;

/** The lines; with `explain`, the formula and inputs of every number follow. */
export function renderReport(
  report: Report,
  { explain }: { readonly explain: boolean },
  terminal: Pick<Terminal, "style" | "size">,
): string[] {
  const { style } = terminal;
  const width = terminal.size().columns;
  return [
    style.bold(report.title),
    ...report.answer,
    ...report.sections.flatMap((section) => ["", ...renderSection(section, width, style)]),
    ...(explain ? explanation(report, style) : []),
  ];
}

function renderSection(section: Section, width: number, style: Style): string[] {
  switch (section.kind) {
    case "table":
      return [style.bold(section.title), ...renderTable(section, width, style)];
    case "plot": {
      const columns = Math.max(PLOT_COLUMNS_MIN, Math.min(PLOT_SIZE.columns, width - LABEL_COLUMNS));
      const [title = "", ...lines] = terminalPlot(section, { ...PLOT_SIZE, columns });
      return [style.bold(title), ...lines];
    }
    case "notes":
      return [style.bold(section.title), ...section.lines.map((line) => `- ${line}`)];
  }
}

function renderTable({ columns, rows }: Table, width: number, style: Style): string[] {
  return table(
    columns,
    rows.map((row) => row.map(cellText)),
    width,
    style.dim,
  );
}

function cellText(cell: ReportCell): Cell {
  return typeof cell === "string" ? cell : formatFigure(cell);
}

function explanation(report: Report, style: Style): string[] {
  const lines = figuresOf(report).flatMap(explainFigure);
  return lines.length === 0 ? [] : ["", style.bold("Where the numbers come from"), ...lines];
}
