/** `tenfold purge`: what the gateway's cache is to forget, by URL, tag or prefix. */
import type { PurgedItem, PurgeOrder, PurgeResult } from "../../app/index.ts";
import { formatProblem } from "../../config/index.ts";
import { PURGE_ITEMS_MAX, readPurgeRequest } from "../../edge/index.ts";
import { type AdminClient, adminClient } from "../admin-client.ts";
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
    const client = adminClient(findStateDirectory(context.cwd, options.state));
    const result = await sendAll(client, orders, context);
    const lines = options.json
      ? [JSON.stringify(result)]
      : result.purged.map((item) => sentence(item, result));
    for (const line of lines) context.terminal.out(line);
    return EXIT.ok;
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

async function sendAll(
  client: AdminClient,
  orders: readonly PurgeOrder[],
  context: Context,
): Promise<PurgeResult> {
  const results: PurgeResult[] = [];
  for (const order of orders) results.push(await send(client, order, context));
  const last = results.at(-1);
  if (last === undefined) throw new Error("purge: nothing was sent");
  return { ...last, purged: results.flatMap(({ purged }) => purged) };
}

async function send(client: AdminClient, order: PurgeOrder, context: Context): Promise<PurgeResult> {
  for (let pauses = 0; ; pauses++) {
    try {
      return await client.purge(order);
    } catch (problem) {
      const mayWait = problem instanceof Refused && problem.code === "too-many-purges";
      if (!mayWait || pauses === PAUSES_MAX) throw problem;
    }
    await pause(context, PAUSE_MS);
  }
}

function sentence({ what, matched }: PurgedItem, { soft, dryRun }: PurgeResult): string {
  const amount = matched === 0 ? "no response" : plural(matched ?? 0, "response");
  if (dryRun) return `would ${soft ? `mark ${what} stale` : `purge ${what}`}: ${amount}`;
  const done = soft ? `marked ${what} stale` : `purged ${what}`;
  if (matched === undefined) return done;
  return `${done}: ${amount} will be ${soft ? "asked about" : "fetched anew"}`;
}
