/** `tenfold choose`: which way to go, the number that says so, and what it costs. */
import {
  CHOICES,
  COUNT_MAX,
  chooseReport,
  parseFacts,
  type Report,
  readDuration,
  readObjective,
  readRate,
  serversReport,
} from "../../planner/index.ts";
import { type Command, defineCommand, type Input, type Option } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT, UsageError } from "../failure.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";

const OPTIONS = {
  set: { kind: "list", placeholder: "FACT=VALUE", about: "A fact, such as writes=12k/s or size=180TB" },
  facts: { kind: "text", placeholder: "FILE", about: "Facts in a file (YAML or JSON)" },
  rate: { kind: "text", placeholder: "RATE", about: "servers: requests that are wanted" },
  objective: { kind: "text", placeholder: "OBJECTIVE", about: 'servers: such as "p99 < 50ms"' },
  "server-rate": { kind: "text", placeholder: "RATE", about: "servers: what one gives" },
  "server-p99": { kind: "text", placeholder: "TIME", about: "servers: at which p99" },
  ...REPORT_OPTIONS,
} as const satisfies Readonly<Record<string, Option>>;

type ChooseInput = Input<typeof OPTIONS>;

/** Words that are no single rule. */
const ALL = "all";
const SERVERS = "servers";

/** Choices by rules, with the number that triggered each. */
export const choose: Command = defineCommand({
  name: "choose",
  heading: "Plan",
  summary: "Which way to go, the number that says so, and what it costs",
  usage: [
    "QUESTION [--set FACT=VALUE] [--facts FILE]",
    "servers --rate RATE --objective OBJECTIVE --server-rate RATE --server-p99 TIME",
  ],
  notes: [
    `QUESTION is one of ${Object.keys(CHOICES).join(", ")}, or all.`,
    "FACT is one of reads, writes, size, rowsScannedPerRow, cpu, hotShare, stale, money, longLived, state, joins, graphDepth, followersMax, costCv, http, availability.",
  ],
  positionals: [{ name: "QUESTION", about: "What is to be chosen" }],
  options: OPTIONS,
  examples: [
    {
      line: "tenfold choose database --set writes=12k/s --set size=180TB",
      about: "Index, cache, replicas, shards: which is next",
    },
    {
      line: "tenfold choose all --set reads=5800/s --set writes=6/s --set availability=99.95%",
      about: "Every question of one app",
    },
    {
      line: 'tenfold choose servers --rate 100000/s --objective "p99 < 50ms" --server-rate 5000/s --server-p99 30ms',
      about: "Every reading of one question, and the answer that survives them",
    },
  ],
  async run(input, context) {
    const [question = ""] = input.words;
    printReport(
      question === SERVERS ? servers(input, context) : rules(question, input, context),
      input.options,
      context.terminal,
    );
    return EXIT.ok;
  },
});

function rules(name: string, { options }: ChooseInput, context: Context): Report {
  const names = name === ALL ? Object.keys(CHOICES) : [name];
  if (name !== ALL && !Object.hasOwn(CHOICES, name))
    throw new UsageError(
      `there is no question "${name}"`,
      `write one of ${Object.keys(CHOICES).join(", ")}, servers or all`,
    );
  const file = options.facts === undefined ? {} : readData(options.facts, context);
  if (typeof file !== "object" || file === null || Array.isArray(file))
    throw new UsageError("the file holds no facts", "write lines such as writes: 12k/s");
  return chooseReport(
    answerOf(parseFacts({ ...file, ...Object.fromEntries(options.set.map(factOf)) }), context),
    names,
  );
}

/** Numbers and yes or no as such, everything else as text with its unit. */
function factOf(text: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--set is "${text}"`, "write FACT=VALUE, such as writes=12k/s");
  if (value === "true" || value === "false") return [name, value === "true"];
  return [name, /^\d+(\.\d+)?$/.test(value) ? Number(value) : value];
}

function servers({ options }: ChooseInput, context: Context): Report {
  const question = new Question();
  const rate = { min: 0.001, max: COUNT_MAX };
  question.demand("rate", options.rate, "write --rate 100000/s");
  question.demand("objective", options.objective, 'write --objective "p99 < 50ms"');
  question.demand("server-rate", options["server-rate"], "write --server-rate 5000/s");
  question.demand("server-p99", options["server-p99"], "write --server-p99 30ms");
  const objective = question.read("objective", options.objective, readObjective, undefined);
  const asked = {
    rateRps: question.read("rate", options.rate, (place, text) => readRate(place, text, rate), 1),
    serverRps: question.read(
      "server-rate",
      options["server-rate"],
      (place, text) => readRate(place, text, rate),
      1,
    ),
    serverP99Ms: question.read(
      "server-p99",
      options["server-p99"],
      (place, text) => readDuration(place, text, { min: 0.001, max: 3_600_000 }),
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
