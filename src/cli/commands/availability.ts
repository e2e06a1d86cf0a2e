/** `tenfold availability`: how often a system of parts is up, and which part to double next. */
import {
  allowedReport,
  parseSystem,
  type Report,
  systemReport,
  unavailabilityOf,
} from "../../planner/index.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../failure.ts";
import { answerOf } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

/** Availability of an expression, or what a number of nines allows. */
export const availability: Command = defineCommand({
  name: "availability",
  heading: "Plan",
  summary: "How often a system of parts is up, and which part to double next",
  usage: ["SYSTEM [--target PERCENT]", "PERCENT"],
  notes: [
    "SYSTEM: series(a, b), parallel(a, b), 2of3(a), 3x app 99.95; a part is a name and its availability.",
    "A part may say mtbf=30d mttr=1h instead, and price=40; copies may say common=5%, failover=30s failovers=4/year.",
  ],
  positionals: [{ name: "SYSTEM", about: "An expression in quotes, or a percentage" }],
  options: {
    target: { kind: "text", placeholder: "PERCENT", about: "What it should be: says what is missing" },
    ...REPORT_OPTIONS,
  },
  examples: [
    { line: 'tenfold availability "series(lb 99.99, app 99.95, db 99.99)"', about: "Three parts in a row" },
    {
      line: 'tenfold availability "series(lb 99.99, 2x app 99.95, db 99.99)" --target 99.99',
      about: "Two apps; and what else four nines take",
    },
    { line: "tenfold availability 99.9", about: "Downtime that three nines allow" },
  ],
  async run({ words: [text = ""], options }, context) {
    printReport(reportOf(text, options.target, context), options, context.terminal);
    return EXIT.ok;
  },
});

function reportOf(text: string, target: string | undefined, context: Context): Report {
  if (/^[\d.]+%?$/.test(text.trim())) return allowedReport(nines(text, context));
  const system = answerOf(parseSystem(text), context);
  return systemReport(system, text.trim(), target === undefined ? undefined : nines(target, context));
}

/** A bare percentage is a system of one part. */
function nines(text: string, context: Context): number {
  return unavailabilityOf(answerOf(parseSystem(`it ${text}`), context));
}
