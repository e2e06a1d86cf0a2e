/** `tenfold simulate`: a design under load, before anybody pays for it. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { stringify } from "yaml";
import {
  autoscaleReport,
  compareReport,
  type Design,
  largestLoad,
  largestLoadReport,
  type Plot,
  parseDesign,
  plotCsv,
  type Report,
  readCount,
  readDuration,
  simulate as run,
  SCENARIOS,
  simulationReport,
  svgPlot,
  underLoad,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { readSettings, variantsOf } from "../design-settings.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { table } from "../render/table.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

/** A week of simulated time. */
const DURATION_MS_MAX = 7 * 86_400_000;

/** Values of one sweep: each is a run. */
const SWEEP_MAX = 50;

/** No design, but a comparison that has its own. */
const AUTOSCALE = "autoscale";

const OPTIONS = {
  load: {
    kind: "text",
    placeholder: "X",
    about: "Times the load of the design; several with commas: a run each",
    fallback: "1",
  },
  set: {
    kind: "list",
    placeholder: "PATH=V",
    about: "Change one place of the design; several values with commas: a run each",
  },
  compare: { kind: "list", placeholder: "DESIGN", about: "Another design beside it" },
  largest: { kind: "flag", about: "Find the greatest load that keeps the objective" },
  seed: {
    kind: "number",
    placeholder: "N",
    about: "Another course of chance",
    fallback: "the design's, else 1",
    min: 0,
    max: 0xffff_ffff,
  },
  duration: { kind: "text", placeholder: "TIME", about: "Another length of the run" },
  svg: { kind: "text", placeholder: "FILE", about: "Write the plots as FILE-1.svg, FILE-2.svg …" },
  csv: { kind: "text", placeholder: "FILE", about: "Write the values over time as FILE-1.csv, FILE-2.csv …" },
  print: { kind: "flag", about: "Print the design as YAML, to begin your own from" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type SimulateInput = Input<typeof OPTIONS>;

/** Runs a design, several designs, or one under several loads. */
export const simulate: Command = defineCommand({
  name: "simulate",
  heading: "Plan",
  summary: "Run a design under load, with faults, before building it",
  usage: ["", "DESIGN [--load X] [--set PATH=V] [--compare DESIGN] [--largest]"],
  notes: [
    "DESIGN is a file (YAML or JSON) or the name of one that comes with Tenfold; without it they are listed.",
    "Balancing, health, retries and autoscaling are the code that runs in production.",
  ],
  positionals: [{ name: "DESIGN", about: "A file, or a name from the list", optional: true }],
  options: OPTIONS,
  examples: [
    { line: "tenfold simulate case-2-full", about: "What 50,000 users do to one server" },
    {
      line: "tenfold simulate case-2-full --compare case-3-cache --compare case-4-three-servers",
      about: "Two steps out of it, beside it",
    },
    {
      line: "tenfold simulate case-2-full --set nodes.app.tasks=1,2,4",
      about: "Where the next server stops helping",
    },
    { line: "tenfold simulate news --largest", about: "How much more it would take" },
    { line: "tenfold simulate autoscale", about: "Who answers a spike soonest, and at what cost" },
    { line: "tenfold simulate retry-storm --print > storm.yaml", about: "A design to change" },
  ],
  async run(input, context) {
    const [name] = input.words;
    if (name === undefined) listScenarios(context);
    else if (name === AUTOSCALE) rivals(input, context);
    else if (input.options.print) context.terminal.out(stringify(sourceOf(name, context)).trimEnd());
    else answer(name, input, context);
    return EXIT.ok;
  },
});

/** Our autoscaling rule beside models of others: some ten seconds of work. */
function rivals({ options }: SimulateInput, context: Context): void {
  context.terminal.err("running six traces under four autoscalers …");
  printReport(autoscaleReport(), options, context.terminal);
}

function listScenarios({ terminal }: Context): void {
  const rows = [
    ...SCENARIOS.map(({ name, about }) => [name, about]),
    [AUTOSCALE, "Our autoscaling rule beside HPA, ECS target tracking and Knative's KPA"],
  ];
  const columns = [{ title: "design" }, { title: "shows" }];
  for (const line of table(columns, rows, terminal.size().columns, terminal.style.dim)) terminal.out(line);
}

function answer(name: string, { options }: SimulateInput, context: Context): void {
  const loads = loadsOf(options.load, context);
  const designs = [name, ...options.compare].flatMap((one) => designsOf(one, options, context));
  const [design] = designs;
  if (design === undefined) return;
  const report = options.largest
    ? largestLoadReport(largestLoad(underLoad(design, loads[0] ?? 1)))
    : reportOf(designs.flatMap((one) => loads.map((load) => loaded(one, load, loads.length > 1))));
  writeFiles(report, options, context);
  printReport(report, options, context.terminal);
}

function reportOf(designs: readonly Design[]): Report {
  const results = designs.map((design) => run(design));
  const [only] = results;
  return results.length === 1 && only !== undefined ? simulationReport(only) : compareReport(results);
}

function loaded(design: Design, load: number, named: boolean): Design {
  const under = underLoad(design, load);
  return named ? { ...under, name: `${design.name} x ${load}` } : under;
}

function loadsOf(text: string | undefined, context: Context): number[] {
  const question = new Question();
  const words = (text ?? "1").split(",");
  const loads = words.map((word) =>
    question.read("load", word, (place, one) => readCount(place, one, { min: 0.0001, max: 10_000 }), 1),
  );
  if (loads.length > SWEEP_MAX)
    question.problems.push({
      path: "--load",
      what: `has ${loads.length} values`,
      mend: `keep to ${SWEEP_MAX}`,
    });
  question.settle(context);
  return loads;
}

/** The design of this name; several when a place of it is swept over. */
function designsOf(name: string, options: SimulateInput["options"], context: Context): Design[] {
  const question = new Question();
  const settings = readSettings(options.set, question.problems);
  question.settle(context);
  return variantsOf(sourceOf(name, context), settings).map(({ source, suffix }) => {
    const design = designOf(source, options, context);
    return { ...design, name: `${design.name}${suffix}` };
  });
}

function designOf(source: unknown, { seed, duration }: SimulateInput["options"], context: Context): Design {
  const design = answerOf(parseDesign(source), context);
  const question = new Question();
  const durationMs = question.read(
    "duration",
    duration,
    (place, text) => readDuration(place, text, { min: 1, max: DURATION_MS_MAX }),
    design.run.durationMs,
  );
  question.settle(context);
  const warmUpMs = Math.min(design.run.warmUpMs, durationMs * 0.9);
  return { ...design, run: { ...design.run, durationMs, warmUpMs, seed: seed ?? design.run.seed } };
}

/** One of ours by its name, else a file. */
function sourceOf(name: string, context: Context): unknown {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario !== undefined) return { name, ...(scenario.design as object) };
  if (!/[./]/.test(name))
    throw new UsageError(`there is no design "${name}"`, "see the list: tenfold simulate; or give a file");
  const data = readData(name, context);
  const stem = (name.split("/").at(-1) ?? "design").replace(/\.\w+$/, "").replace(/[^\w-]/g, "-");
  return typeof data === "object" && data !== null && !Array.isArray(data) ? { name: stem, ...data } : data;
}

function writeFiles(report: Report, { svg, csv }: SimulateInput["options"], context: Context): void {
  const plots = report.sections.filter((section): section is Plot => section.kind === "plot");
  for (const [index, plot] of plots.entries()) {
    if (svg !== undefined) write(`${svg.replace(/\.svg$/, "")}-${index + 1}.svg`, svgPlot(plot), context);
    if (csv !== undefined) write(`${csv.replace(/\.csv$/, "")}-${index + 1}.csv`, plotCsv(plot), context);
  }
}

function write(path: string, text: string, { cwd, terminal }: Context): void {
  try {
    writeFileSync(resolve(cwd, path), text);
    terminal.err(`wrote ${path}`);
  } catch (error) {
    throw new Failure(
      `cannot write ${path} (${error instanceof Error ? error.message : String(error)})`,
      "check the folder",
    );
  }
}
