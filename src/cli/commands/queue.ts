/** `tenfold queue`: how long people wait, and how many servers keep a promise. */

import type { Problem } from "../../config/index.ts";
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
  SERVERS_MAX,
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

/** Word -> the report that it asks for. A new model is one row. */
const MODELS: Readonly<Record<string, (input: QueueInput, context: Context) => Report>> = {
  network: ({ options, words }, context) => {
    const question = new Question();
    question.demand("rate", options.rate, "write --rate 100/s");
    const rate = question.read("rate", options.rate, readRateUp, 0);
    question.settle(context);
    return openReport(rate, answerOf(parseStations(readData(fileOf(words), context)), context));
  },
  closed: ({ options, words }, context) => {
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
    const stations = answerOf(parseStations(readData(fileOf(words), context)), context);
    return answerOf(closedReport(users, think, stations), context);
  },
  usl: ({ words }, context) => {
    const points = answerOf(parseUslPoints(readText(fileOf(words), context)), context);
    const report = uslReport(points);
    if (report === undefined)
      throw new UsageError("the points are too few", "measure at three different N or more");
    return report;
  },
  erlang: ({ options }, context) => {
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
  },
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
    const [model] = input.words;
    const build = model === undefined ? oneQueue : Object.hasOwn(MODELS, model) ? MODELS[model] : undefined;
    if (build === undefined)
      throw new UsageError(
        `queue knows no model "${model}"`,
        `write one of ${Object.keys(MODELS).join(", ")}`,
      );
    printReport(build(input, context), input.options, context.terminal);
    return EXIT.ok;
  },
});

function oneQueue({ options }: QueueInput, context: Context): Report {
  const question = new Question();
  question.demand("rate", options.rate, "write --rate 100/s");
  question.demand("time", options.time, "write --time 25ms");
  const cvUpTo = (place: Parameters<typeof readCount>[0], text: string) =>
    readCount(place, text, { min: 0, max: 100 });
  const capacity = question.read<number | undefined>(
    "capacity",
    options.capacity,
    wholeUpTo(10_000_000),
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
  return (place: Parameters<typeof readCount>[0], text: string): number | undefined => {
    const value = readCount(place, text, { min: 1, max });
    if (value === undefined || Number.isInteger(value)) return value;
    place.problems.push({ path: place.path, what: `is ${value}`, mend: "write a whole number" });
    return undefined;
  };
}

function fileOf([, file]: readonly string[]): string {
  if (file === undefined) throw new UsageError("FILE is missing", "write it after the model");
  return file;
}
