/** `tenfold cost`: what the gateway's cache costs and saves, from the counters of the one that runs. */
import type { CacheTrafficReport, Status } from "../../app/index.ts";
import {
  CACHE_PRICES,
  type CachePrices,
  type CacheWindow,
  cacheCostReport,
  grownBetween,
  parseCachePrices,
  readDuration,
  requestsOf,
  type Upstream,
} from "../../planner/index.ts";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { type Command, defineCommand, STATE_OPTION } from "../command.ts";
import { type Context, pause } from "../context.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { answerOf, Question, readData } from "../planning.ts";
import { printReport, REPORT_OPTIONS } from "../report-options.ts";
import { findStateDirectory } from "../state-directory.ts";

/** Bounds of a window that is waited for, and of the age at which a stored response is judged. */
const FOR_MS = { min: 1000, max: 86_400_000 };
const SETTLE_MS = { min: 1000, max: 30 * 86_400_000 };
/** S3-FIFO is long done with the newest queue, and most pages that are asked for twice have been. */
const SETTLE_MS_DEFAULT = 600_000;

const NO_CACHE = new Failure(
  "no rule has a cache, so it costs and saves nothing",
  "add `cache: {}` to a rule",
);

/** Money by the month, what was counted, what is stored, and what of it is not worth keeping. */
export const cost: Command = defineCommand({
  name: "cost",
  heading: "Look",
  summary: "What the cache costs and saves by the month, and what is not worth keeping",
  usage: ["[--for TIME] [--settle TIME] [--prices FILE] [--from shield] [--state DIR]"],
  notes: [
    "Counts from the start of the controller, or with --for from now on.",
    "A price file (YAML or JSON): { edgeGb: 0.085, originGb: 0.05, purgePath: 0 }; what it leaves out stays.",
  ],
  positionals: [],
  options: {
    for: { kind: "text", placeholder: "TIME", about: "Count from now on, for so long: 60s" },
    settle: {
      kind: "text",
      placeholder: "TIME",
      about: "Judge stored responses from this age on",
      fallback: "10m",
    },
    prices: { kind: "text", placeholder: "FILE", about: "Your own prices (YAML or JSON)" },
    from: {
      kind: "text",
      placeholder: "WHAT",
      about: "What the targets are: origin, or shield",
      fallback: "origin",
    },
    ...REPORT_OPTIONS,
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold cost", about: "Since the controller was started" },
    { line: "tenfold cost --for 60s --prices prices.yaml", about: "The next minute, at your prices" },
    { line: "tenfold cost --explain", about: "With the formula behind each number" },
  ],
  async run({ options }, context) {
    const question = new Question();
    const forMs = question.read<number | undefined>(
      "for",
      options.for,
      (place, text) => readDuration(place, text, FOR_MS),
      undefined,
    );
    const settleMs = question.read(
      "settle",
      options.settle,
      (place, text) => readDuration(place, text, SETTLE_MS),
      SETTLE_MS_DEFAULT,
    );
    question.settle(context);
    const upstream = upstreamOf(options.from);
    const prices = pricesOf(options.prices, context);
    const client = adminClient(findStateDirectory(context.cwd, options.state));
    const window = await windowOf(client, forMs, context);
    const usage = await client.cacheUsage(settleMs / 1000);
    if (usage === null) throw NO_CACHE;
    const forwardOf = forwards(await client.status());
    printReport(cacheCostReport({ window, usage, prices, upstream, forwardOf }), options, context.terminal);
    return EXIT.ok;
  },
});

function upstreamOf(from: string | undefined): Upstream {
  if (from === undefined || from === "origin" || from === "shield") return from ?? "origin";
  throw new UsageError(`--from is "${from}"`, "write origin or shield");
}

function pricesOf(file: string | undefined, context: Context): CachePrices {
  return file === undefined ? CACHE_PRICES : answerOf(parseCachePrices(readData(file, context)), context);
}

/** Since the controller's start, or of the time that is waited for. */
async function windowOf(
  client: AdminClient,
  forMs: number | undefined,
  context: Context,
): Promise<CacheWindow> {
  const before = await trafficOf(client);
  if (forMs !== undefined) await pause(context, forMs);
  const { first, last, spanMs, capacityBytes } = forMs === undefined ? before : await trafficOf(client);
  const since = forMs === undefined ? first : before.last;
  const window = {
    ...grownBetween(since, last),
    spanMs: forMs === undefined ? spanMs : spanMs - before.spanMs,
    capacityBytes,
  };
  if (requestsOf(window) > 0 && window.spanMs > 0) return window;
  throw new Failure(
    "no request came for a rule with a cache in this time",
    "ask again when there is traffic, or count for longer with --for",
  );
}

async function trafficOf(client: AdminClient): Promise<CacheTrafficReport> {
  const traffic = await client.cacheTraffic();
  if (traffic === null) throw NO_CACHE;
  return traffic;
}

/** The group of each rule that forwards to one alone. */
function forwards({ gateway }: Status): (rule: string) => string | undefined {
  const groups = new Set(gateway.groups.map(({ name }) => name));
  const rules = gateway.listeners.flatMap((listener) => listener.rules);
  const actions = new Map(rules.map(({ name, action }) => [name, action]));
  return (rule) => {
    const action = actions.get(rule);
    return action !== undefined && groups.has(action) ? action : undefined;
  };
}
