/** A report as Markdown (GitHub's flavour): tables as tables, plots as text blocks, so that it reads anywhere. */
import { explainFigure } from "./explain.ts";
import { formatFigure } from "./figure.ts";
import { type Cell, figuresOf, type Report, type Section, type Table } from "./report.ts";
import { terminalPlot } from "./terminal-plot.ts";

/** The document; with `explain`, a last section says where each number comes from. */
export function toMarkdown(report: Report, { explain }: { readonly explain: boolean }): string {
  const parts = [
    `# ${escapeMarkdown(report.title)}`,
    ...report.answer.map(escapeMarkdown),
    ...report.sections.map(sectionOf),
    ...(explain ? [fenced("Where the numbers come from", figuresOf(report).flatMap(explainFigure))] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function sectionOf(section: Section): string {
  switch (section.kind) {
    case "table":
      return tableOf(section);
    case "plot":
      return fenced(section.title, terminalPlot(section).slice(1));
    case "notes":
      return [
        `## ${escapeMarkdown(section.title)}`,
        section.lines.map((line) => `- ${escapeMarkdown(line)}`).join("\n"),
      ].join("\n\n");
  }
}

function tableOf({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `## ${escapeMarkdown(title)}`,
    [
      line(columns.map((column) => escapeMarkdown(column.title))),
      line(columns.map(({ align }) => (align === "right" ? "--:" : "---"))),
      ...rows.map((row) => line(row.map(cellOf))),
    ].join("\n"),
  ].join("\n\n");
}

function cellOf(cell: Cell): string {
  return escapeMarkdown(typeof cell === "string" ? cell : formatFigure(cell));
}

function fenced(title: string, lines: readonly string[]): string {
  return [`## ${escapeMarkdown(title)}`, ["```text", ...lines, "```"].join("\n")].join("\n\n");
}

/** What a user named may hold any character; none of them may end a cell or begin markup. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_|<>#[\]]/g, (character) => `\\${character}`).replace(/\s*\n\s*/g, " ");
}
