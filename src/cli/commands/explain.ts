/** `tenfold explain`: why this route, why this number of tasks. */
import { join } from "node:path";
import { parseIp } from "../../base/index.ts";
import type { Config } from "../../config/index.ts";
import type { Store } from "../../edge/index.ts";
import { observeStore } from "../../edge/io/index.ts";
import { explainCache, ruleCache } from "../../gateway/io/index.ts";
import { adminClient } from "../admin-client.ts";
import {
  CONFIG_OPTION,
  type Command,
  defineCommand,
  type Input,
  JSON_OPTION,
  type Option,
  STATE_OPTION,
} from "../command.ts";
import { loadOrFail } from "../config-file.ts";
import type { Context } from "../context.ts";
import { EXIT, Failure, UsageError } from "../failure.ts";
import { renderRoutes, renderScale } from "../render/explain.ts";
import { explainRoute, type LookIntoCache, type RequestQuestion } from "../route-explanation.ts";
import { findStateDirectory } from "../state-directory.ts";

const OPTIONS = {
  config: CONFIG_OPTION,
  host: { kind: "text", placeholder: "HOST", about: "Host of the request", fallback: "localhost" },
  header: { kind: "list", placeholder: "NAME:VALUE", about: "Header field of the request" },
  source: { kind: "text", placeholder: "IP", about: "Address of the client", fallback: "127.0.0.1" },
  json: JSON_OPTION,
  state: STATE_OPTION,
} as const satisfies Readonly<Record<string, Option>>;

type ExplainInput = Input<typeof OPTIONS>;

/** Which rule a request meets, offline from the config; or what the autoscaler decided, from the controller. */
export const explain: Command = defineCommand({
  name: "explain",
  heading: "Look",
  summary: "Why this route, why from the cache or not, why this number of tasks",
  usage: [
    "METHOD PATH [-c FILE] [--host HOST] [--header NAME:VALUE] [--source IP]",
    "scale SERVICE [--json]",
  ],
  notes: [
    "A route is explained from the config; no controller needs to run. Where a gateway does, its cache is looked into.",
    "What is cached is found by the Host that clients send: name it with --host, and its port unless that is 80.",
  ],
  positionals: [
    { name: "METHOD|scale", about: "GET, POST …, or the word scale" },
    { name: "PATH|SERVICE", about: "Path with its query, or the name of a service" },
  ],
  options: OPTIONS,
  examples: [
    {
      line: "tenfold explain GET /api/users --host shop.example",
      about: "The rule that matches, and why others do not",
    },
    { line: 'tenfold explain POST "/pay?beta=1" --header x-beta:1', about: "With a query and a header" },
    { line: "tenfold explain scale web", about: "The autoscaler's decisions, with what it saw" },
  ],
  run(input, context) {
    return input.words[0] === "scale" ? explainScale(input, context) : explainRequest(input, context);
  },
});

async function explainScale({ words, options }: ExplainInput, { cwd, terminal }: Context): Promise<number> {
  const client = adminClient(findStateDirectory(cwd, options.state));
  const explanation = await client.explainScale(words[1] ?? "");
  const lines = options.json ? [JSON.stringify(explanation)] : renderScale(explanation, terminal.style);
  for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

async function explainRequest(input: ExplainInput, context: Context): Promise<number> {
  const { cwd, terminal } = context;
  const question = questionOf(input);
  const { config } = await loadOrFail(input.options.config, cwd, terminal);
  const explanation = explainRoute(config, question, cacheOf(config, input, context));
  const lines = input.options.json
    ? [JSON.stringify(explanation)]
    : renderRoutes(explanation, terminal.style);
  for (const line of lines) terminal.out(line);
  return EXIT.ok;
}

/** Looks into the store of the gateway that runs here, if one does. */
function cacheOf({ gateway }: Config, { options }: ExplainInput, { cwd, clock }: Context): LookIntoCache {
  const store = observedStore(cwd, options.state);
  return ({ cache }, view) =>
    cache && explainCache({ view, cache: ruleCache(cache, gateway), store, nowMs: clock.wallMs() });
}

function observedStore(cwd: string, state: string | undefined): Store | undefined {
  try {
    return observeStore(join(findStateDirectory(cwd, state), "gateway", "cache"));
  } catch (problem) {
    if (state === undefined && problem instanceof Failure) return undefined; // nothing was ever started here
    throw problem;
  }
}

function questionOf({ words: [method = "", target = ""], options }: ExplainInput): RequestQuestion {
  const { host = "localhost", source = "127.0.0.1", header } = options;
  if (!target.startsWith("/")) throw new UsageError(`PATH is "${target}"`, 'begin it with "/"');
  if (parseIp(source) === undefined) throw new UsageError(`--source is "${source}"`, "write an IP address");
  return { method: method.toUpperCase(), target, host, source, headers: header.map(headerOf) };
}

function headerOf(text: string): readonly [string, string] {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--header is "${text}"`, "write NAME:VALUE, such as x-beta:1");
  return [name, value];
}
