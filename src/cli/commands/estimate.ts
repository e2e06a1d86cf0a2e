/** `tenfold estimate`: requests, storage, bandwidth, memory, servers and money from a number of users. */
import {
  COUNT_MAX,
  cpuReport,
  estimateReport,
  latencyReport,
  PRESETS,
  PRICES,
  parsePrices,
  parseWorkload,
  powersReport,
  type QuantityPlace,
  type Report,
  readCount,
  readDuration,
  readRate,
  readShare,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { measureLatencies } from "../measure/latency.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const OPTIONS = {
  users: { kind: "text", placeholder: "N", about: "Users a day: 10M, 250k" },
  peak: { kind: "text", placeholder: "X", about: "Busiest moment over mean" },
  cpu: { kind: "text", placeholder: "TIME", about: "CPU of one request" },
  cores: { kind: "text", placeholder: "N", about: "Cores of one server" },
  busy: { kind: "text", placeholder: "SHARE", about: "How busy a server should be at the peak: 70%" },
  spare: { kind: "text", placeholder: "N", about: "Servers to spare" },
  copies: { kind: "text", placeholder: "N", about: "Copies of everything kept" },
  years: { kind: "text", placeholder: "N", about: "Years that it is kept" },
  growth: { kind: "text", placeholder: "SHARE", about: "Growth a year: 50%" },
  cdn: { kind: "text", placeholder: "SHARE", about: "Share of reads that a CDN answers" },
  rate: { kind: "text", placeholder: "RATE", about: "cpu: requests, such as 10000/s" },
  prices: { kind: "text", placeholder: "FILE", about: "Your own prices (YAML or JSON)" },
  measure: { kind: "flag", about: "latency: measure this machine, a few seconds" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type EstimateInput = Input<typeof OPTIONS>;

/** Words that are no workload. */
const TABLES: Readonly<Record<string, (input: EstimateInput, context: Context) => Promise<Report> | Report>> =
  {
    cpu: ({ options }, context) => {
      const question = new Question();
      question.demand("rate", options.rate, "write --rate 10000/s");
      const rate = question.read(
        "rate",
        options.rate,
        (place, text) => readRate(place, text, { min: 0, max: COUNT_MAX }),
        0,
      );
      const over = numbersOf(options, question);
      question.settle(context);
      return cpuReport(rate, over);
    },
    powers: () => powersReport(),
    latency: async ({ options }) => latencyReport(options.measure ? await measureLatencies() : new Map()),
  };

/** The estimate of a preset or a file, or one of the tables. */
export const estimate: Command = defineCommand({
  name: "estimate",
  heading: "Plan",
  summary: "Requests, storage, bandwidth, servers and money from a number of users",
  usage: [
    "WORKLOAD [--users N] [--peak X] …",
    "cpu --rate RATE [--cpu TIME] [--cores N]",
    "powers",
    "latency [--measure]",
  ],
  notes: [
    `WORKLOAD is one of ${Object.keys(PRESETS).join(", ")}, or a file (YAML or JSON).`,
    "A file: { preset: blog, users: 2M } or { users: 2M, actions: [{ name: views, kind: read, perUser: 10, answer: 100KB }] }.",
  ],
  positionals: [{ name: "WORKLOAD", about: "A preset, a file, or cpu, powers, latency" }],
  options: OPTIONS,
  examples: [
    { line: "tenfold estimate twitter", about: "100 million users, exact and in one's head" },
    {
      line: "tenfold estimate blog --users 2M --explain",
      about: "Another number of users, with every formula",
    },
    {
      line: "tenfold estimate cpu --rate 10000/s --cpu 10ms --cores 4",
      about: "100 cores: 25 servers, and the honest number",
    },
    { line: "tenfold estimate latency --measure", about: "Published numbers beside this machine" },
  ],
  async run(input, context) {
    const [word = ""] = input.words;
    const build = Object.hasOwn(TABLES, word) ? TABLES[word] : workloadReport;
    printReport(await (build ?? workloadReport)(input, context), input.options, context.terminal);
    return EXIT.ok;
  },
});

function workloadReport({ words: [name = ""], options }: EstimateInput, context: Context): Report {
  const question = new Question();
  const users = question.read<number | undefined>("users", options.users, countUpTo(1e12), undefined);
  const over = numbersOf(options, question);
  question.settle(context);
  const written = sourceOf(name, context);
  const source = users === undefined ? written : { ...written, users };
  const workload = answerOf(parseWorkload(source), context);
  const prices =
    options.prices === undefined ? PRICES : answerOf(parsePrices(readData(options.prices, context)), context);
  return estimateReport({ ...workload, ...over }, prices);
}

function sourceOf(name: string, context: Context): object {
  if (Object.hasOwn(PRESETS, name)) return { preset: name };
  if (!/[./]/.test(name))
    throw new UsageError(
      `there is no workload "${name}"`,
      `write one of ${[...Object.keys(PRESETS), ...Object.keys(TABLES)].join(", ")}, or a file`,
    );
  const data = readData(name, context);
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return data;
  throw new UsageError(`${name} holds no workload`, "write { preset: blog, users: 2M }");
}

/** Numbers given as options; each stands for the workload's own. */
function numbersOf(options: EstimateInput["options"], question: Question) {
  const read = <T>(
    name: string,
    text: string | undefined,
    reader: (place: QuantityPlace, of: string) => T | undefined,
  ) => question.read<T | undefined>(name, text, reader, undefined);
  const numbers = {
    peak: read("peak", options.peak, countUpTo(1000, 1)),
    cpuMs: read("cpu", options.cpu, (place, text) => readDuration(place, text, { min: 0, max: 3_600_000 })),
    coresPerServer: read("cores", options.cores, countUpTo(1024, 1)),
    busyTarget: read("busy", options.busy, (place, text) => readShare(place, text, { min: 0.01, max: 1 })),
    spareServers: read("spare", options.spare, countUpTo(1000)),
    copies: read("copies", options.copies, countUpTo(100, 1)),
    years: read("years", options.years, countUpTo(100)),
    growth: read("growth", options.growth, readShare),
    cdnShare: read("cdn", options.cdn, readShare),
  };
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)) as {
    [K in keyof typeof numbers]?: NonNullable<(typeof numbers)[K]>;
  };
}

function countUpTo(max: number, min = 0) {
  return (place: QuantityPlace, text: string): number | undefined => readCount(place, text, { min, max });
}
