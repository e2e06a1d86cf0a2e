/** `tenfold purge`: what the gateway's cache is to forget, by URL, tag or prefix. */

import type { EdgeAcknowledgement, PurgedItem, PurgeOrder, PurgeResult } from "../../app/index.ts";
import { parseDurationMs } from "../../base/index.ts";
import { formatProblem } from "../../config/index.ts";
import { PURGE_ITEMS_MAX, readPurgeRequest } from "../../edge/index.ts";
import { adminClient } from "../admin-client.ts";
import { type Command, defineCommand, JSON_OPTION, STATE_OPTION } from "../command.ts";
import { type Context, pause } from "../context.ts";
import { EXIT, Refused, UsageError } from "../failure.ts";
import { plural } from "../render/figures.ts";
import { findStateDirectory } from "../state-directory.ts";

/** Named in one request that counts: each looks at all that is stored, and the answer is waited for. */
const COUNTED_ITEMS_MAX = 10;

/** The controller takes fifty purges a second: who has more waits for a while, not for ever. */
const PAUSE_MS = 500;
const PAUSES_MAX = 120;

/** How long the other installations of the site are waited for, at most. */
const WAIT_MS_MAX = 60_000;

/** Purges what is named; everything only with `--yes`. */
export const purge: Command = defineCommand({
  name: "purge",
  heading: "Change",
  summary: "Make the gateway's cache forget responses, in all workers at once",
  usage: [
    "URL… [--tag T]… [--prefix P]… [--soft] [--count | --dry-run]",
    "--everything --yes [--soft] [--count | --dry-run]",
  ],
  notes: [
    "A URL goes with its scheme, its host as clients write it, and its query; http and https are one.",
    "When the command has ended no client gets what was purged as fresh any more.",
    "Where the config has `edges`, that holds for all that are said to have acknowledged; the others are told as soon as they can be",
    "reached, and the command exits with 1.",
  ],
  positionals: [
    { name: "URL", about: "https://shop.example/a?b=1; one or more", optional: true, many: true },
  ],
  options: {
    tag: { kind: "list", placeholder: "T", about: "All responses with this Cache-Tag or Surrogate-Key" },
    prefix: { kind: "list", placeholder: "P", about: "All below a host and path: shop.example/images/" },
    everything: { kind: "flag", about: "All there is; the app gets all requests until it is filled again" },
    yes: { kind: "flag", about: "Mean it, with --everything" },
    soft: {
      kind: "flag",
      about: "Mark it stale: it may be used while it is fetched anew, or when that fails",
    },
    count: { kind: "flag", about: "Say how many responses it was; looks at all there are" },
    "dry-run": { kind: "flag", about: "Only count" },
    wait: {
      kind: "text",
      placeholder: "TIME",
      about: "How long other installations may take",
      fallback: "5s",
    },
    json: JSON_OPTION,
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold purge https://shop.example/", about: "One URL, in all its variants" },
    { line: "tenfold purge --tag product-17 --tag home --soft", about: "After an article has changed" },
    { line: "tenfold purge --prefix shop.example/images/ --dry-run", about: "How many that would be" },
    { line: "tenfold purge --everything --yes", about: "After a template has changed" },
  ],
  async run({ words, options }, context) {
    const { tag, prefix, everything, soft, count, "dry-run": dryRun } = options;
    if (everything && !options.yes && !dryRun)
      throw new UsageError("--everything lacks --yes", "add it, or --dry-run to see how much that is");
    const flags = { soft, dryRun, count };
    const orders = everything
      ? [{ urls: words, tags: tag, prefixes: prefix, everything, ...flags }]
      : portions({ urls: words, tags: tag, prefixes: prefix }, dryRun || count).map((portion) => ({
          ...portion,
          ...flags,
        }));
    check(orders, context);
    const waitMs = waitOf(options.wait ?? "5s");
    const client = adminClient(findStateDirectory(context.cwd, options.state));
    const result = await sendAll(orders, context, (order) => client.purge(order, waitMs));
    const lines = options.json
      ? [JSON.stringify(result)]
      : [...result.purged.map((item) => sentence(item, result)), ...acknowledgements(result.edges ?? [])];
    for (const line of lines) context.terminal.out(line);
    return result.edges?.some(({ acknowledged }) => !acknowledged) === true ? EXIT.failed : EXIT.ok;
  },
});

type Named = Required<Pick<PurgeOrder, "urls" | "tags" | "prefixes">>;

/** As many requests as it takes; one when nothing is named, which says so. */
function portions(named: Named, counts: boolean): readonly Partial<Named>[] {
  const size = counts ? COUNTED_ITEMS_MAX : PURGE_ITEMS_MAX;
  const kinds = ["urls", "tags", "prefixes"] as const;
  const all = kinds.flatMap((kind) => named[kind].map((text) => ({ kind, text })));
  const starts = Array.from({ length: Math.max(1, Math.ceil(all.length / size)) }, (_, at) => at);
  return starts.map((at) => {
    const items = all.slice(at * size, (at + 1) * size);
    return Object.fromEntries(
      kinds.map((kind) => [kind, items.filter((item) => item.kind === kind).map(({ text }) => text)]),
    );
  });
}

/** All that is wrong with all requests, before the first is sent. */
function check(orders: readonly PurgeOrder[], { terminal }: Context): void {
  const problems = orders.flatMap((order) => {
    const reading = readPurgeRequest({ ...order });
    return reading.kind === "problems" ? reading.problems : [];
  });
  const [first, ...more] = problems;
  if (first === undefined) return;
  if (more.length === 0) throw new UsageError(placeOf(first.path) + first.what, first.mend);
  for (const problem of problems) terminal.err(formatProblem(problem));
  throw new UsageError(`${problems.length} problems`, "nothing was purged");
}

/** On a command line a text stands for itself, wherever it stands. */
function placeOf(path: string): string {
  if (path === "request") return "purge ";
  return path.startsWith("tags") ? "--tag " : "";
}

function waitOf(text: string): number {
  const waitMs = parseDurationMs(text);
  if (waitMs !== undefined && waitMs <= WAIT_MS_MAX) return waitMs;
  throw new UsageError(`--wait is "${text}"`, `write a time up to ${WAIT_MS_MAX / 1000}s, such as 5s`);
}

type Send = (order: PurgeOrder) => Promise<PurgeResult>;

async function sendAll(orders: readonly PurgeOrder[], context: Context, send: Send): Promise<PurgeResult> {
  const results: PurgeResult[] = [];
  for (const order of orders) results.push(await patiently(send, order, context));
  const last = results.at(-1);
  if (last === undefined) throw new Error("purge: nothing was sent");
  // Who has acknowledged the last has acknowledged those before it: they are in one log.
  return { ...last, purged: results.flatMap(({ purged }) => purged) };
}

async function patiently(send: Send, order: PurgeOrder, context: Context): Promise<PurgeResult> {
  for (let pauses = 0; ; pauses++) {
    try {
      return await send(order);
    } catch (problem) {
      const mayWait = problem instanceof Refused && problem.code === "too-many-purges";
      if (!mayWait || pauses === PAUSES_MAX) throw problem;
    }
    await pause(context, PAUSE_MS);
  }
}

/** Which installations have done it, and which have not, each with the reason. */
function acknowledgements(edges: readonly EdgeAcknowledgement[]): readonly string[] {
  const done = edges.filter(({ acknowledged }) => acknowledged).map(({ edge }) => edge);
  const open = edges.filter(({ acknowledged }) => !acknowledged);
  return [
    ...(done.length === 0 ? [] : [`acknowledged by ${done.join(", ")}`]),
    ...open.map(
      ({ edge, problem }) => `NOT acknowledged by ${edge} (${problem}): it is told as soon as it can be`,
    ),
  ];
}

function sentence({ what, matched }: PurgedItem, { soft, dryRun }: PurgeResult): string {
  const amount = matched === 0 ? "no response" : plural(matched ?? 0, "response");
  if (dryRun) return `would ${soft ? `mark ${what} stale` : `purge ${what}`}: ${amount}`;
  const done = soft ? `marked ${what} stale` : `purged ${what}`;
  if (matched === undefined) return done;
  return `${done}: ${amount} will be ${soft ? "asked about" : "fetched anew"}`;
}
