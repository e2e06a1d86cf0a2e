/** `tenfold choose`: which way to go, the number that says so, what it costs, and what would change it. */
import { nearest } from "../../config/index.ts";
import {
  CHOICES,
  COUNT_MAX,
  chooseReport,
  FACT_PRESETS,
  FACTS,
  type FactRow,
  type Known,
  parseFacts,
  questionsReport,
  type Report,
  readDuration,
  readObjective,
  readRate,
  serversReport,
} from "../../planner/index.ts";
import { type Command, defineCommand, type FlagOption, type Option, type TextOption } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const HOUR_MS = 3_600_000;

/** Words that are no single rule. */
const ALL = "all";
const SERVERS = "servers";

const SERVER_OPTIONS = {
  rate: { kind: "text", placeholder: "RATE", about: "servers: requests that are wanted" },
  objective: { kind: "text", placeholder: "OBJECTIVE", about: 'servers: such as "p99 < 50ms"' },
  "server-rate": { kind: "text", placeholder: "RATE", about: "servers: what one gives" },
  "server-p99": { kind: "text", placeholder: "TIME", about: "servers: at which p99" },
} as const satisfies Readonly<Record<string, Option>>;

const LIST_OPTIONS = {
  set: { kind: "list", placeholder: "FACT=VALUE", about: "A fact by its name in a file: hotShare=90%" },
  facts: { kind: "text", placeholder: "FILE", about: "Facts in a file; the same as APP" },
} as const satisfies Readonly<Record<string, Option>>;

/** One option for each fact: --hot-share for hotShare. */
const FACT_OPTIONS: Readonly<Record<string, TextOption | FlagOption>> = Object.fromEntries(
  Object.values(FACTS).map((row) => [optionOf(row.name), factOption(row)]),
);

const OPTIONS: Readonly<Record<string, Option>> = {
  ...FACT_OPTIONS,
  ...LIST_OPTIONS,
  ...SERVER_OPTIONS,
  ...REPORT_OPTIONS,
};

/** What `OPTIONS` read as: texts but for the flags and the list. */
type Given = Readonly<Record<keyof typeof SERVER_OPTIONS | "facts", string | undefined>> &
  Readonly<Record<keyof typeof REPORT_OPTIONS, boolean>> & { readonly set: readonly string[] };

interface ChooseInput {
  readonly words: readonly string[];
  readonly given: Given;
  /** Facts by their names, as they were written. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Choices by rules, with the number that triggered each. */
export const choose: Command = defineCommand({
  name: "choose",
  heading: "Plan",
  summary: "Which way to go, the number that says so, and what it costs",
  usage: [
    "",
    "QUESTION [APP] [--FACT VALUE] …",
    "all APP",
    "servers --rate RATE --objective OBJECTIVE --server-rate RATE --server-p99 TIME",
  ],
  notes: [
    `QUESTION is one of ${Object.keys(CHOICES).join(", ")}; several with commas, or all. Without it they are listed.`,
    `APP is one of ${Object.keys(FACT_PRESETS).join(", ")}, or a file (YAML or JSON) such as { preset: blog, reads: 2k/s }.`,
  ],
  positionals: [
    { name: "QUESTION", about: "What is to be chosen", optional: true },
    { name: "APP", about: "A preset or a file that says what the app is like", optional: true },
  ],
  options: OPTIONS,
  examples: [
    {
      line: "tenfold choose database --writes 12k/s --reads 1.2M/s --size 180TB",
      about: "Index, cache, replicas, shards: which is next",
    },
    {
      line: "tenfold choose scaling,algorithm,sessions,consistency,redundancy blog",
      about: "Five questions of a blog with ten million readers a day",
    },
    {
      line: "tenfold choose consistency --operations pay=money,signup=name,like=counter",
      about: "CP or AP, for each operation",
    },
    {
      line: 'tenfold choose servers --rate 100000/s --objective "p99 < 50ms" --server-rate 5000/s --server-p99 30ms',
      about: "Every reading of one question, and the answer that survives them",
    },
  ],
  async run({ words, options }, context) {
    const given = options as unknown as Given;
    const input: ChooseInput = { words, given, facts: factsOf(options) };
    printReport(reportOf(input, context), given, context.terminal);
    return EXIT.ok;
  },
});

function reportOf(input: ChooseInput, context: Context): Report {
  const [question] = input.words;
  const strays = [
    ...Object.keys(input.facts).map(optionOf),
    ...(input.given.set.length > 0 ? ["set"] : []),
    ...(input.given.facts === undefined ? [] : ["facts"]),
  ];
  if (question === undefined) {
    refuse(strays, "the list of questions", context);
    return questionsReport();
  }
  if (question === SERVERS) {
    refuse(strays, SERVERS, context);
    return servers(input, context);
  }
  refuse(
    (Object.keys(SERVER_OPTIONS) as (keyof typeof SERVER_OPTIONS)[]).filter(
      (name) => input.given[name] !== undefined,
    ),
    question,
    context,
  );
  return chooseReport(known(input, context), namesOf(question));
}

/** What was given and would not be read. */
function refuse(options: readonly string[], by: string, context: Context): void {
  const question = new Question();
  for (const option of options)
    question.problems.push({ path: `--${option}`, what: `means nothing to ${by}`, mend: "leave it out" });
  question.settle(context);
}

function namesOf(words: string): string[] {
  if (words === ALL) return Object.keys(CHOICES);
  const names = words.split(",").map((name) => name.trim());
  const strange = names.find((name) => !Object.hasOwn(CHOICES, name));
  if (strange === undefined) return [...new Set(names)];
  const all = [...Object.keys(CHOICES), SERVERS, ALL];
  const near = nearest(strange, all);
  throw new UsageError(
    `there is no question "${strange}"`,
    near === undefined ? `write one of ${all.join(", ")}` : `did you mean "${near}"?`,
  );
}

/** The app, and what was said beyond it: options stand for the file's own. */
function known({ words: [, app], given, facts }: ChooseInput, context: Context): Known {
  if (app !== undefined && given.facts !== undefined)
    throw new UsageError("two files of facts are given", "leave out APP or --facts");
  const said = { ...appOf(app ?? given.facts, context), ...Object.fromEntries(given.set.map(pairOf)) };
  return answerOf(parseFacts({ ...said, ...facts }), context);
}

function appOf(app: string | undefined, context: Context): object {
  if (app === undefined) return {};
  if (Object.hasOwn(FACT_PRESETS, app)) return { preset: app };
  if (!/[./]/.test(app) && app !== "-")
    throw new UsageError(
      `there is no app "${app}"`,
      `write one of ${Object.keys(FACT_PRESETS).join(", ")}, or a file`,
    );
  const data = readData(app, context);
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data;
  throw new UsageError(`${app} holds no facts`, "write lines such as writes: 12k/s");
}

function factsOf(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.values(FACTS).flatMap(({ name }) => {
      const value = options[optionOf(name)];
      if (value === undefined || value === false) return [];
      return [[name, typeof value === "string" ? valueOf(value) : value] as const];
    }),
  );
}

function pairOf(text: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--set is "${text}"`, "write FACT=VALUE, such as writes=12k/s");
  return [name, valueOf(value)];
}

/** Numbers and yes or no as such, everything else as text with its unit. */
function valueOf(text: string): unknown {
  if (text === "true" || text === "yes") return true;
  if (text === "false" || text === "no") return false;
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function optionOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A fact that is not so unless said is a flag; `http` is so unless said, and takes its word. */
function factOption({ name, about, unit }: FactRow): TextOption | FlagOption {
  if (unit === "flag" && name !== "http") return { kind: "flag", about };
  return { kind: "text", placeholder: placeholderOf(unit), about };
}

function placeholderOf(unit: FactRow["unit"]): string {
  if (typeof unit !== "string") return unit.join("|");
  const rows: Readonly<Record<string, string>> = {
    perSecond: "RATE",
    bytes: "SIZE",
    ms: "TIME",
    share: "SHARE",
    availability: "SHARE",
    flag: "yes|no",
    operations: "LIST",
  };
  return rows[unit] ?? "N";
}

function servers({ given, words }: ChooseInput, context: Context): Report {
  if (words[1] !== undefined) throw new UsageError("servers reads no app", `leave out "${words[1]}"`);
  const question = new Question();
  const rate = { min: 0.001, max: COUNT_MAX };
  question.demand("rate", given.rate, "write --rate 100000/s");
  question.demand("objective", given.objective, 'write --objective "p99 < 50ms"');
  question.demand("server-rate", given["server-rate"], "write --server-rate 5000/s");
  question.demand("server-p99", given["server-p99"], "write --server-p99 30ms");
  const objective = question.read("objective", given.objective, readObjective, undefined);
  const readUp = (place: Parameters<typeof readRate>[0], text: string) => readRate(place, text, rate);
  const asked = {
    rateRps: question.read("rate", given.rate, readUp, 1),
    serverRps: question.read("server-rate", given["server-rate"], readUp, 1),
    serverP99Ms: question.read(
      "server-p99",
      given["server-p99"],
      (place, text) => readDuration(place, text, { min: 0.001, max: HOUR_MS }),
      1,
    ),
    objectiveMs: objective?.kind === "quantile" ? objective.ms : 0,
  };
  if (objective !== undefined && (objective.kind !== "quantile" || objective.q !== 0.99))
    question.problems.push({ path: "--objective", what: "is no p99", mend: 'write "p99 < 50ms"' });
  if (objective?.kind === "quantile" && asked.serverP99Ms > objective.ms)
    question.problems.push({
      path: "--server-p99",
      what: "is above the objective",
      mend: "measure at a load at which one server keeps it",
    });
  question.settle(context);
  return serversReport(asked);
}
