/** `tenfold availability`: how often a system of parts is up, and which part to double next. */
import {
  allowedReport,
  parseSystem,
  pointAt,
  type Report,
  readPrices,
  type System,
  systemReport,
  unavailabilityOf,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { answerOf } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const OPTIONS = {
  target: {
    kind: "text",
    placeholder: "PERCENT",
    about: "What it should be: how much is missing, and the cheapest way there",
  },
  price: { kind: "list", placeholder: "NAME=PRICE", about: "Price of one copy a month, such as app=40" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type AvailabilityInput = Input<typeof OPTIONS>;

/** Availability of an expression, or what a number of nines allows. */
export const availability: Command = defineCommand({
  name: "availability",
  heading: "Plan",
  summary: "How often a system of parts is up, and which part to double next",
  usage: ["SYSTEM [--target PERCENT] [--price NAME=PRICE]", "PERCENT"],
  notes: [
    "SYSTEM: series(a, b), parallel(a, b), 2of3(a), 3x app 99.95; a part is a name and its availability.",
    "A part may say mtbf=30d mttr=1h instead, and price=40; copies may say common=5%, failover=30s failovers=4/year.",
    "A name that stands alone a second time is the same part again: it fails once, in all places.",
  ],
  positionals: [{ name: "SYSTEM", about: "An expression in quotes, or a percentage" }],
  options: OPTIONS,
  examples: [
    { line: 'tenfold availability "series(lb 99.99, app 99.95, db 99.99)"', about: "Three parts in a row" },
    {
      line: 'tenfold availability "series(lb 99.99, 2x app 99.95, db 99.99)" --target 99.99',
      about: "Two apps; and what else four nines take",
    },
    {
      line: 'tenfold availability "series(app 99.95, db 99.99)" --price app=40 --price db=300',
      about: "Which copy buys the cheapest minute",
    },
    { line: "tenfold availability 99.9", about: "Downtime that three nines allow" },
  ],
  async run(input, context) {
    printReport(reportOf(input, context), input.options, context.terminal);
    return EXIT.ok;
  },
});

function reportOf({ words: [text = ""], options }: AvailabilityInput, context: Context): Report {
  const { target, price } = options;
  if (!/^\s*[\d.]+\s*%?\s*$/.test(text)) {
    const system = answerOf(readPrices(price, systemOf(text, context)), context);
    return systemReport(system, text.trim(), target === undefined ? undefined : downOf(target, context));
  }
  if (target === undefined && price.length === 0) return allowedReport(downOf(text, context));
  throw new UsageError("a percentage alone has no parts to add", "write a system, such as app 99.95");
}

/** A bare percentage is a system of one part. */
function downOf(percent: string, context: Context): number {
  return unavailabilityOf(answerOf(parseSystem(`it ${percent}`), context));
}

/** Shows where the problems of an expression are before they are told. */
function systemOf(text: string, context: Context): System {
  const outcome = parseSystem(text);
  if (outcome.kind === "problems")
    for (const line of pointAt(text, outcome.problems)) context.terminal.err(line);
  return answerOf(outcome, context);
}
