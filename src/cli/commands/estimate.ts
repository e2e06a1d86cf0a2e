/** `tenfold estimate`: requests, storage, bandwidth, memory, servers and money from a number of users. */
import { nearest } from "../../config/index.ts";
import {
  COUNT_MAX,
  cpuReport,
  estimateReport,
  latencyReport,
  type Overrides,
  PRESETS,
  PRICES,
  parsePrices,
  parseWorkload,
  powersReport,
  type QuantityPlace,
  type Report,
  readBytes,
  readCount,
  readDuration,
  readGrowth,
  readObjective,
  readRate,
  readShare,
  readWhole,
  type ServiceObjective,
  WORKLOAD_LIMITS,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { measureLatencies } from "../measure/latency.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const OPTIONS = {
  users: { kind: "text", placeholder: "N", about: "Users a day: 10M, 250k" },
  reads: { kind: "text", placeholder: "N", about: "Reads of a user a day" },
  ratio: { kind: "text", placeholder: "N", about: "Reads for each write, instead of --reads" },
  writes: { kind: "text", placeholder: "N", about: "Writes of a user a day: 0.01 is one of a hundred" },
  page: { kind: "text", placeholder: "SIZE", about: "Sent for each read: 100KB" },
  item: { kind: "text", placeholder: "SIZE", about: "Kept for each write: 5KB" },
  file: { kind: "text", placeholder: "SIZE", about: "Kept with a write, in an object store: 2MB" },
  files: { kind: "text", placeholder: "SHARE", about: "Share of writes with a file", fallback: "100%" },
  peak: { kind: "text", placeholder: "X", about: "Busiest moment over mean" },
  cpu: { kind: "text", placeholder: "TIME", about: "CPU of one request: 10ms" },
  cores: { kind: "text", placeholder: "N", about: "Cores of one server" },
  busy: { kind: "text", placeholder: "SHARE", about: "How busy a server should be at the peak: 70%" },
  spare: { kind: "text", placeholder: "N", about: "Servers to spare" },
  copies: { kind: "text", placeholder: "N", about: "Copies of everything kept" },
  years: { kind: "text", placeholder: "N", about: "Years that it is kept" },
  growth: { kind: "text", placeholder: "SHARE", about: "Growth a year: 50%" },
  hot: { kind: "text", placeholder: "SHARE", about: "Share of a day's rows that most reads ask for: 20%" },
  cdn: { kind: "text", placeholder: "SHARE", about: "Share of reads and files that a CDN answers" },
  objective: { kind: "text", placeholder: "OBJECTIVE", about: '"p99 < 200ms": the servers that keep it' },
  rate: { kind: "text", placeholder: "RATE", about: "cpu: requests, such as 10000/s" },
  prices: { kind: "text", placeholder: "FILE", about: "Your own prices (YAML or JSON)" },
  measure: { kind: "flag", about: "latency: measure this machine too, a few seconds" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type EstimateInput = Input<typeof OPTIONS>;
type EstimateOption = Exclude<keyof typeof OPTIONS, keyof typeof REPORT_OPTIONS>;

interface Mode {
  /** Options that it reads; another one is a mistake that would go unseen. */
  readonly reads: readonly EstimateOption[];
  readonly build: (input: EstimateInput, context: Context) => Promise<Report> | Report;
}

type Reader = (place: QuantityPlace, text: string) => number | undefined;

/** Option -> the number of a workload that it stands for, and how it is read. */
const NUMBERS = {
  users: ["users", countIn("users")],
  reads: ["readsPerUser", countIn("times")],
  ratio: ["readsPerWrite", countIn("times")],
  writes: ["writesPerUser", countIn("times")],
  page: ["pageBytes", sizeOf],
  item: ["itemBytes", sizeOf],
  file: ["fileBytes", sizeOf],
  files: ["fileShare", readShare],
  peak: ["peak", countIn("peak")],
  cpu: ["cpuMs", (place, text) => readDuration(place, text, WORKLOAD_LIMITS.cpuMs)],
  cores: ["coresPerServer", wholeIn("coresPerServer")],
  busy: ["busyTarget", (place, text) => readShare(place, text, WORKLOAD_LIMITS.busyTarget)],
  spare: ["spareServers", wholeIn("spareServers")],
  copies: ["copies", wholeIn("copies")],
  years: ["years", countIn("years")],
  growth: ["growth", readGrowth],
  hot: ["hotShare", readShare],
  cdn: ["cdnShare", readShare],
} as const satisfies Readonly<Partial<Record<EstimateOption, readonly [keyof Overrides, Reader]>>>;

type NumberOption = keyof typeof NUMBERS;

const WORKLOAD: Mode = {
  reads: [...(Object.keys(NUMBERS) as NumberOption[]), "objective", "prices"],
  build: workloadReport,
};

/** Words that are no workload. */
const MODES: Readonly<Record<string, Mode>> = {
  cpu: { reads: ["rate", "cpu", "cores", "busy", "spare", "objective"], build: rateReport },
  powers: { reads: [], build: powersReport },
  latency: {
    reads: ["measure"],
    build: async ({ options }) => latencyReport(options.measure ? await measureLatencies() : undefined),
  },
};

/** First words that mean something. */
const KNOWN = [...Object.keys(PRESETS), ...Object.keys(MODES)];

/** The estimate of a preset, a file or options alone, or one of the tables. */
export const estimate: Command = defineCommand({
  name: "estimate",
  heading: "Plan",
  summary: "Requests, storage, bandwidth, servers and money from a number of users",
  usage: [
    "[WORKLOAD] [--users N] [--reads N] [--writes N] [--page SIZE] …",
    "cpu --rate RATE [--cpu TIME] [--cores N] [--objective OBJECTIVE]",
    "powers",
    "latency [--measure]",
  ],
  notes: [
    `WORKLOAD is one of ${Object.keys(PRESETS).join(", ")}, or a file (YAML or JSON); options are put over it.`,
    "A file: { preset: blog, users: 2M } or { users: 2M, actions: [{ name: views, kind: read, perUser: 10, answer: 100KB }] }.",
  ],
  positionals: [{ name: "WORKLOAD", about: "A preset, a file, or cpu, powers, latency", optional: true }],
  options: OPTIONS,
  examples: [
    { line: "tenfold estimate twitter", about: "100 million users, exact and in one's head" },
    {
      line: "tenfold estimate blog --users 2M --explain",
      about: "Another number of users, with every formula",
    },
    {
      line: "tenfold estimate --users 10M --reads 10 --writes 0.01 --page 100KB --item 5KB",
      about: "From numbers of your own",
    },
    {
      line: "tenfold estimate cpu --rate 10000/s --cpu 10ms --cores 4",
      about: "100 cores: 25 servers, and the honest number",
    },
    { line: "tenfold estimate latency --measure", about: "Published numbers beside this machine" },
  ],
  async run(input, context) {
    const [word = ""] = input.words;
    const mode = (Object.hasOwn(MODES, word) ? MODES[word] : undefined) ?? WORKLOAD;
    refuseStrays(mode, input, context);
    printReport(await mode.build(input, context), input.options, context.terminal);
    return EXIT.ok;
  },
});

/** What was given and would not be read. */
function refuseStrays({ reads }: Mode, { options, words: [word] }: EstimateInput, context: Context): void {
  const question = new Question();
  for (const option of Object.keys(options) as EstimateOption[]) {
    const given = options[option] !== undefined && options[option] !== false;
    if (!given || option in REPORT_OPTIONS || reads.includes(option)) continue;
    const what = `means nothing to ${word === undefined ? "a workload" : `estimate ${word}`}`;
    question.problems.push({ path: `--${option}`, what, mend: "leave it out" });
  }
  question.settle(context);
}

function workloadReport({ words: [name], options }: EstimateInput, context: Context): Report {
  const question = new Question();
  const over = numbersOf(options, question);
  const objective = objectiveOf(options, question);
  if (name === undefined && Object.keys(over).length === 0 && question.problems.length === 0)
    throw new UsageError(
      "WORKLOAD is missing",
      `write one of ${KNOWN.join(", ")}, a file, or options such as --users`,
    );
  question.settle(context);
  const source = name === undefined ? {} : sourceOf(name, context);
  const workload = answerOf(parseWorkload(source, over), context);
  const prices =
    options.prices === undefined ? PRICES : answerOf(parsePrices(readData(options.prices, context)), context);
  return estimateReport(workload, prices, objective);
}

function rateReport({ options }: EstimateInput, context: Context): Report {
  const question = new Question();
  question.demand("rate", options.rate, "write --rate 10000/s");
  const rateRps = question.read("rate", options.rate, rateUp, 0);
  const over = numbersOf(options, question);
  const objective = objectiveOf(options, question);
  question.settle(context);
  return answerOf(
    cpuReport({ ...over, rateRps, ...(objective === undefined ? {} : { objective }) }),
    context,
  );
}

function sourceOf(name: string, context: Context): unknown {
  if (Object.hasOwn(PRESETS, name)) return { preset: name };
  if (/[./]/.test(name) || name === "-") return readData(name, context);
  const near = nearest(name, KNOWN);
  const mend = near === undefined ? `write one of ${KNOWN.join(", ")}, or a file` : `did you mean "${near}"?`;
  throw new UsageError(`there is no workload "${name}"`, mend);
}

/** Numbers given as options; each is put over the workload's own. */
function numbersOf(options: EstimateInput["options"], question: Question): Overrides {
  const given = (Object.keys(NUMBERS) as NumberOption[]).map((option) => {
    const [key, reader] = NUMBERS[option];
    return [key, question.read<number | undefined>(option, options[option], reader, undefined)];
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Overrides;
}

function objectiveOf(
  { objective }: EstimateInput["options"],
  question: Question,
): ServiceObjective | undefined {
  return question.read<ServiceObjective | undefined>("objective", objective, readObjective, undefined);
}

function rateUp(place: QuantityPlace, text: string): number | undefined {
  return readRate(place, text, { min: 0, max: COUNT_MAX });
}

function sizeOf(place: QuantityPlace, text: string): number | undefined {
  return readBytes(place, text, WORKLOAD_LIMITS.bytes);
}

function countIn(name: keyof typeof WORKLOAD_LIMITS): Reader {
  return (place, text) => readCount(place, text, WORKLOAD_LIMITS[name]);
}

function wholeIn(name: keyof typeof WORKLOAD_LIMITS): Reader {
  return (place, text) => readWhole(place, text, WORKLOAD_LIMITS[name]);
}
