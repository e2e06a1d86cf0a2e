/** `tenfold queue`: how long people wait, and how many servers keep a promise. */

import { nearest, type Problem } from "../../config/index.ts";
import {
  COUNT_MAX,
  closedReport,
  erlangReport,
  openReport,
  parseStations,
  parseUslPoints,
  type QueueQuestion,
  queueReport,
  type Report,
  readCount,
  readDuration,
  readObjective,
  readRate,
  readWhole,
  SERVERS_MAX,
  type Station,
  serversAsked,
  uslReport,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { answerOf, Question, readData, readText } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const DAY_MS = 86_400_000;

const OPTIONS = {
  rate: { kind: "text", placeholder: "RATE", about: 'Requests that come: "100/s", "30/h"' },
  time: { kind: "text", placeholder: "TIME", about: "How long one server takes for one, such as 25ms" },
  servers: { kind: "text", placeholder: "N", about: "Servers; 1, or as many as the objective needs" },
  cv: {
    kind: "text",
    placeholder: "CV",
    about: "Variation of the time: 0 constant, 1 exponential",
    fallback: "1",
  },
  "arrivals-cv": { kind: "text", placeholder: "CV", about: "Variation of the arrivals", fallback: "1" },
  capacity: { kind: "text", placeholder: "K", about: "Most in the system; the rest is turned away" },
  objective: {
    kind: "text",
    placeholder: "OBJECTIVE",
    about: '"p99 < 200ms", "mean < 50ms" or "wait < 10%": how many servers it needs',
  },
  load: { kind: "text", placeholder: "ERLANGS", about: "erlang: the load" },
  users: { kind: "text", placeholder: "N", about: "closed: users" },
  think: { kind: "text", placeholder: "TIME", about: "closed: time that a user thinks", fallback: "0" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type QueueInput = Input<typeof OPTIONS>;

/** An option that belongs to some models only. */
type ModelOption = Exclude<keyof typeof OPTIONS, keyof typeof REPORT_OPTIONS>;

interface Model {
  /** Options that it reads; another one is a mistake that would go unseen. */
  readonly reads: readonly ModelOption[];
  readonly takesFile: boolean;
  readonly build: (input: QueueInput, context: Context) => Report;
}

/** One queue: what is asked without the name of a model. */
const ONE_QUEUE: Model = {
  reads: ["rate", "time", "servers", "cv", "arrivals-cv", "capacity", "objective"],
  takesFile: false,
  build: oneQueue,
};

/** Word -> the report that it asks for. A new model is one row. */
const MODELS: Readonly<Record<string, Model>> = {
  erlang: { reads: ["load", "servers"], takesFile: false, build: erlang },
  network: { reads: ["rate"], takesFile: true, build: network },
  closed: { reads: ["users", "think"], takesFile: true, build: closed },
  usl: { reads: [], takesFile: true, build: scalability },
};

/** Waiting times, servers needed, networks of queues, scalability. */
export const queue: Command = defineCommand({
  name: "queue",
  heading: "Plan",
  summary: "How long requests wait, and how many servers keep a promise",
  usage: [
    "--rate RATE --time TIME [--servers N] [--objective OBJECTIVE]",
    "erlang --load ERLANGS --servers N",
    "network FILE --rate RATE",
    "closed FILE --users N [--think TIME]",
    "usl FILE",
  ],
  notes: [
    "FILE of network and closed: a list of stations, such as [{ name: cpu, visits: 3, time: 5ms, servers: 2 }].",
    'FILE of usl: lines such as "8, 3500", N and the throughput measured there.',
  ],
  positionals: [
    { name: "MODEL", about: "erlang, network, closed or usl; one queue without it", optional: true },
    { name: "FILE", about: "Stations (YAML or JSON), or measured points (CSV)", optional: true },
  ],
  options: OPTIONS,
  examples: [
    {
      line: "tenfold queue --rate 100/s --time 25ms --servers 4",
      about: "Waits, quantiles, one server more or fewer",
    },
    {
      line: 'tenfold queue --rate 100/s --time 25ms --objective "p99 < 100ms"',
      about: "How many servers that needs",
    },
    {
      line: "tenfold queue --rate 80/s --time 10ms --cv 2 --explain",
      about: "Uneven work on one server, with its formulas",
    },
    { line: "tenfold queue usl measured.csv", about: "Where more of it makes it slower" },
  ],
  async run(input, context) {
    const [name] = input.words;
    const model = name === undefined ? ONE_QUEUE : Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
    if (model === undefined) throw new UsageError(`queue knows no model "${name}"`, modelMend(name ?? ""));
    refuseStrays(model, input, context);
    printReport(model.build(input, context), input.options, context.terminal);
    return EXIT.ok;
  },
});

function modelMend(name: string): string {
  const near = nearest(name, Object.keys(MODELS));
  return near === undefined ? `write one of ${Object.keys(MODELS).join(", ")}` : `did you mean "${near}"?`;
}

/** What was given and would not be read. */
function refuseStrays({ reads, takesFile }: Model, { options, words }: QueueInput, context: Context): void {
  const [name = "one queue", file] = words;
  if (file !== undefined && !takesFile) throw new UsageError(`${name} reads no file`, `leave out "${file}"`);
  if (file === undefined && takesFile) throw new UsageError("FILE is missing", "write it after the model");
  const question = new Question();
  for (const option of Object.keys(options) as ModelOption[])
    if (!(option in REPORT_OPTIONS) && options[option] !== undefined && !reads.includes(option))
      question.problems.push({ path: `--${option}`, what: `means nothing to ${name}`, mend: "leave it out" });
  question.settle(context);
}

function network({ options, words }: QueueInput, context: Context): Report {
  const question = new Question();
  question.demand("rate", options.rate, "write --rate 100/s");
  const rate = question.read("rate", options.rate, readRateUp, 0);
  question.settle(context);
  return openReport(rate, stationsOf(words, context));
}

function closed({ options, words }: QueueInput, context: Context): Report {
  const question = new Question();
  question.demand("users", options.users, "write --users 20");
  const users = question.read("users", options.users, wholeUpTo(SERVERS_MAX), 1);
  const think = question.read(
    "think",
    options.think,
    (place, text) => readDuration(place, text, { min: 0, max: DAY_MS }),
    0,
  );
  question.settle(context);
  return answerOf(closedReport(users, think, stationsOf(words, context)), context);
}

function scalability({ words: [, file = ""] }: QueueInput, context: Context): Report {
  const report = uslReport(answerOf(parseUslPoints(readText(file, context)), context));
  if (report === undefined)
    throw new UsageError("the points are too few", "measure at three different N or more");
  return report;
}

function erlang({ options }: QueueInput, context: Context): Report {
  const question = new Question();
  question.demand("load", options.load, "write --load 6");
  question.demand("servers", options.servers, "write --servers 10");
  const load = question.read(
    "load",
    options.load,
    (place, text) => readCount(place, text, { min: 0, max: SERVERS_MAX }),
    0,
  );
  const servers = question.read("servers", options.servers, wholeUpTo(SERVERS_MAX), 1);
  question.settle(context);
  return erlangReport(load, servers);
}

function stationsOf([, file = ""]: readonly string[], context: Context): readonly Station[] {
  return answerOf(parseStations(readData(file, context)), context);
}

function oneQueue({ options }: QueueInput, context: Context): Report {
  const question = new Question();
  question.demand("rate", options.rate, "write --rate 100/s");
  question.demand("time", options.time, "write --time 25ms");
  const cvUpTo = (place: Parameters<typeof readCount>[0], text: string) =>
    readCount(place, text, { min: 0, max: 100 });
  const capacity = question.read<number | undefined>(
    "capacity",
    options.capacity,
    wholeUpTo(2 * SERVERS_MAX),
    undefined,
  );
  const objective = question.read("objective", options.objective, readObjective, undefined);
  const asked: QueueQuestion = {
    rateRps: question.read("rate", options.rate, readRateUp, 0),
    serviceMs: question.read(
      "time",
      options.time,
      (place, text) => readDuration(place, text, { min: 1e-6, max: 365 * DAY_MS }),
      1,
    ),
    servers: question.read("servers", options.servers, wholeUpTo(SERVERS_MAX), 1),
    serviceCv: question.read("cv", options.cv, cvUpTo, 1),
    arrivalCv: question.read("arrivals-cv", options["arrivals-cv"], cvUpTo, 1),
    ...(capacity === undefined ? {} : { capacity }),
    ...(objective === undefined ? {} : { objective }),
  };
  question.problems.push(...boundProblems(asked));
  question.settle(context);
  return queueReport(options.servers === undefined ? { ...asked, servers: serversAsked(asked) } : asked);
}

/** What a queue with a bound cannot be asked. */
function boundProblems({ capacity, servers, arrivalCv, serviceCv, objective }: QueueQuestion): Problem[] {
  if (capacity === undefined) return [];
  const rows: [refused: boolean, path: string, what: string, mend: string][] = [
    [
      capacity < servers,
      "--capacity",
      `is ${capacity}, below ${servers} servers`,
      "count those being served too",
    ],
    [
      arrivalCv !== 1 || serviceCv !== 1,
      "--cv",
      "other than 1 has no formula beside --capacity",
      "leave one of them out, or ask `tenfold simulate`",
    ],
    [
      objective !== undefined,
      "--objective",
      "is for a queue without a bound",
      "leave out --capacity, or the objective",
    ],
  ];
  return rows.flatMap(([refused, path, what, mend]) => (refused ? [{ path, what, mend }] : []));
}

function readRateUp(place: Parameters<typeof readRate>[0], text: string): number | undefined {
  return readRate(place, text, { min: 0, max: COUNT_MAX });
}

function wholeUpTo(max: number) {
  return (place: Parameters<typeof readWhole>[0], text: string): number | undefined =>
    readWhole(place, text, { min: 1, max });
}
