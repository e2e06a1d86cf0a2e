/** How the planner's commands print: the options they share, and the printer that obeys them. */
import { type Report, toJson, toMarkdown } from "../planner/index.ts";
import { type FlagOption, JSON_OPTION } from "./command.ts";
import { renderReport } from "./render/report.ts";
import type { Terminal } from "./terminal.ts";

/** Every command of the planner has these. */
export const REPORT_OPTIONS: Readonly<Record<"json" | "md" | "explain", FlagOption>> = {
  json: JSON_OPTION,
  md: { kind: "flag", about: "Print Markdown, for a document" },
  explain: { kind: "flag", about: "Say the formula and the inputs behind every number" },
};

/** Prints the report as asked. */
export function printReport(
  report: Report,
  options: Readonly<Record<keyof typeof REPORT_OPTIONS, boolean>>,
  terminal: Terminal,
): void {
  if (options.json) terminal.out(JSON.stringify(toJson(report)));
  else if (options.md) terminal.out(toMarkdown(report, options).trimEnd());
  else for (const line of renderReport(report, options, terminal)) terminal.out(line);
}
