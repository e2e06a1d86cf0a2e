/**
 * The schema: every key that a config file may hold, as tables of key -> shape.
 *
 * These tables are the one source for unknown keys, types, ranges and the messages about them. What a key means is
 * documented in `UserConfig`, what it is when left out in `DEFAULTS`; rules over several parts are in `validate`.
 */
import { forward, redirect, respond } from "./action.ts";
import { isHost } from "./address.ts";
import { cache, cacheStore } from "./cache-schema.ts";
import {
  type AccessLogConfig,
  type AdminConfig,
  ALGORITHMS,
  type AutoscaleConfig,
  type BacklogConfig,
  type ConnectionsConfig,
  type DeployConfig,
  type EjectionConfig,
  type ForwardedConfig,
  type HashKey,
  type LimitsConfig,
  type RetryBudgetConfig,
  type RetryConfig,
  type RuleConfig,
  type TargetConfig,
  type TaskLimitsConfig,
  type TimeoutsConfig,
} from "./config.ts";
import { database } from "./database-schema.ts";
import { DEFAULTS } from "./defaults.ts";
import type {
  ConfigDraft,
  GatewayDraft,
  GroupSettings,
  ListenerDraft,
  RuleDraft,
  ServiceDraft,
  TargetGroupDraft,
} from "./draft.ts";
import { edge, fallback } from "./edges-schema.ts";
import { health } from "./health-schema.ts";
import { match } from "./match.ts";
import { nearestMend } from "./nearest.ts";
import { below, type Place, report } from "./problem.ts";
import {
  bySort,
  leaf,
  list,
  mapped,
  named,
  object,
  oneOrMore,
  quote,
  type Rows,
  type Shape,
} from "./shape.ts";
import { SLOTS, WORKERS_MAX } from "./snapshot.ts";
import { steering } from "./steering-schema.ts";
import { store } from "./store-schema.ts";
import {
  address,
  bytes,
  cidr,
  duration,
  flag,
  integer,
  name,
  number,
  scalarText,
  TOKEN,
  text,
  word,
} from "./values.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const TIB = 1024 * 1024 * MIB;

/** Things of one kind in a file: far beyond a hand-written one, and still checked in milliseconds. */
const LISTENERS_MAX = 64;
const RULES_MAX = 1000;
const GROUPS_MAX = 256;
const SERVICES_MAX = 256;
const EDGES_MAX = 256;
const STORES_MAX = 16;
const DATABASES_MAX = 16;
const TASKS_MAX = 1000;

/** Workers come in two generations during a swap, and both have columns in the scoreboard. */
const WORKERS_PER_GENERATION_MAX = WORKERS_MAX / 2;

const share = number({ min: 0, max: 1 });
const count = (min: number, max: number): Shape<number> => integer({ min, max });

const admin = object<AdminConfig>({ address: address("127.0.0.1", 0) }) as Shape<Partial<AdminConfig>>;

const ACCESS_LOGS = ["off", "json", "combined"] as const;

const accessLog: Shape<AccessLogConfig> = leaf(
  '"off", "json", "combined" or a format',
  "string",
  (value: string, place) => {
    const kind = ACCESS_LOGS.find((known) => known === value);
    if (kind) return { kind };
    if (/\{\w+\}/.test(value)) return { kind: "format", format: value };
    return report(
      place,
      `is the string ${quote(value)}`,
      nearestMend(value, [...ACCESS_LOGS, "{method} {path} {status}"], "form"),
    );
  },
);

const limits = object<Partial<LimitsConfig>>({
  requestLineBytesMax: bytes(256, MIB),
  headBytesMax: bytes(KIB, 4 * MIB),
  fieldsMax: count(1, 10_000),
  bodyBytesMax: bytes(0, TIB),
  connectionsMax: count(1, 1_000_000),
  queueMax: count(0, 1_000_000),
});

const ruleTimeouts: Rows<RuleConfig["timeouts"]> = {
  connectMs: duration(1),
  firstByteMs: duration(1),
  idleMs: duration(1),
  totalMs: duration(0),
};

const timeouts = object<Partial<TimeoutsConfig>>({
  ...ruleTimeouts,
  headMs: duration(1),
  keepAliveMs: duration(1),
  upstreamKeepAliveMs: duration(1),
  tunnelIdleMs: duration(1),
});

const forwarded = object<Partial<ForwardedConfig>>({
  fields: word(["both", "x-forwarded", "forwarded", "off"]),
  trustedProxies: oneOrMore(cidr, 256),
});

const WORKERS_EXPECTED = `a whole number from 1 to ${WORKERS_PER_GENERATION_MAX} or "auto"`;

const gateway = object<GatewayDraft>({
  workers: bySort<number | "auto">(
    { number: count(1, WORKERS_PER_GENERATION_MAX), string: word(["auto"], [], WORKERS_EXPECTED) },
    WORKERS_EXPECTED,
  ),
  accessLog,
  limits,
  timeouts,
  forwarded,
  name: leaf('a name such as "tenfold"', "string", (value: string) =>
    TOKEN.test(value) ? value : undefined,
  ),
  edge: name,
  stopTimeoutMs: duration(0),
  cache: cacheStore,
});

const retry: Shape<Partial<RetryConfig>> = bySort<Partial<RetryConfig>>({
  number: mapped(count(0, 10), (attempts) => ({ attempts })),
  object: object<Partial<RetryConfig>>({ attempts: count(0, 10), nonIdempotent: flag }),
});

const ruleHost: Shape<RuleConfig["host"]> = leaf(
  '"preserve", "target" or a host',
  "string",
  (value: string) => {
    if (value === "preserve" || value === "target") return { kind: value };
    return isHost(value.replace(/:\d{1,5}$/, "")) ? { kind: "fixed", host: value.toLowerCase() } : undefined;
  },
);

const rule = object<RuleDraft>(
  {
    match,
    forward,
    redirect,
    respond,
    timeouts: object<RuleConfig["timeouts"]>(ruleTimeouts),
    retry,
    bodyBytesMax: bytes(0, TIB),
    host: ruleHost,
    cache,
  },
  { exactlyOne: ["forward", "redirect", "respond"], check: onlyForwardsCache },
);

function onlyForwardsCache(draft: RuleDraft, place: Place): void {
  if (!draft.cache || draft.forward !== undefined) return;
  if (draft.redirect === undefined && draft.respond === undefined) return;
  report(below(place, "cache"), "means nothing to a rule that does not forward", "remove it");
}

const listener = object<ListenerDraft>(
  {
    address: address("0.0.0.0", 0),
    protocol: word(["http"], ["https", "tcp", "tls", "udp"]),
    rules: list(rule, RULES_MAX, 1, 'a list such as [{ forward: "web" }]'),
  },
  { required: ["address", "rules"], later: ["tls"] },
);

const HASH_EXPECTED = '"ip", "path", "url", "header:name", "cookie:name" or "query:name"';

const hashKey: Shape<HashKey> = leaf(HASH_EXPECTED, "string", (value: string) => {
  if (value === "ip" || value === "path" || value === "url") return { kind: value };
  const [, kind, field = ""] = /^(header|cookie|query):(.+)$/.exec(value) ?? [];
  if (kind === "query") return { kind, name: field };
  if (!TOKEN.test(field)) return undefined;
  if (kind === "header") return { kind, name: field.toLowerCase() };
  return kind === "cookie" ? { kind, name: field } : undefined;
});

const ejection = object<Partial<EjectionConfig>>(
  {
    consecutive5xx: count(0, 10_000),
    consecutiveFailures: count(0, 10_000),
    baseMs: duration(1),
    maxMs: duration(1),
    shareMax: share,
  },
  {
    check: ({ baseMs = DEFAULTS.ejection.baseMs, maxMs = DEFAULTS.ejection.maxMs }, place) => {
      if (baseMs > maxMs)
        report(place, "begins with a longer ejection than its longest", "lower base or raise max");
    },
  },
);

const connections = object<Partial<ConnectionsConfig>>({
  perTargetMax: count(1, 65_535),
  idleMax: count(0, 65_535),
  queueTimeoutMs: duration(0),
  holdMs: duration(0),
});

const groupSettings: Rows<GroupSettings> = {
  algorithm: word(ALGORITHMS),
  on: hashKey,
  health,
  ejection,
  panicThreshold: share,
  slowStartMs: duration(0),
  boundedLoad: number({ min: 1.01, max: 100, why: "at 1 every target would be full" }),
  retryBudget: object<Partial<RetryBudgetConfig>>({
    ratio: share,
    perSecond: number({ min: 0, max: 1_000_000 }),
  }),
  connections,
  fallback,
};

type TargetDraft = Partial<TargetConfig>;

const targetAddress = address("127.0.0.1", 1);

const target: Shape<TargetDraft> = bySort<TargetDraft>(
  {
    string: mapped(targetAddress, (at) => ({ address: at })),
    number: mapped(targetAddress, (at) => ({ address: at })),
    object: object<TargetDraft>(
      { address: targetAddress, weight: count(1, 1000), name },
      { required: ["address"] },
    ),
  },
  "an address or { address, weight, name }",
);

const targetGroup = object<TargetGroupDraft>({ ...groupSettings, targets: list(target, SLOTS) });

const COMMAND_EXPECTED = 'a list such as ["node", "server.js"]';

const command: Shape<readonly string[]> = bySort<readonly string[]>(
  {
    list: list(text("an argument that is not empty", 32_768), 1024, 1),
    string: leaf<readonly string[]>(COMMAND_EXPECTED, "string", (line: string, place) =>
      report(
        place,
        "is one string; no shell reads it",
        `write ${JSON.stringify(line.split(/\s+/)).replaceAll('","', '", "')}`,
      ),
    ),
  },
  COMMAND_EXPECTED,
);

const envName = leaf("a variable name", "string", (value: string, place) => {
  if (value === "PORT")
    return report(place, "is set for each task", "remove it; the task listens on the PORT it gets");
  return /^[A-Z_][A-Z0-9_]*$/i.test(value)
    ? value
    : report(place, "is no variable name", "use letters, digits and _");
});

const taskLimits = object<Partial<TaskLimitsConfig>>({
  cpu: number({ min: 0.01, max: 1024 }),
  memoryBytes: bytes(4 * MIB, TIB),
  pidsMax: integer({ min: 64, max: 4_194_304, why: "Node hangs below 64" }),
});

const backlogUrl: Shape<string> = leaf(
  'a URL such as "http://127.0.0.1:9100/depth"',
  "string",
  (value: string) => (/^https?:\/\/[^\s@]+$/.test(value) && URL.canParse(value) ? value : undefined),
);

const autoscale = object<Partial<AutoscaleConfig>>(
  {
    min: count(1, TASKS_MAX),
    max: count(1, TASKS_MAX),
    cpu: number({ min: 0.01, max: 1, why: "a share of one core" }),
    inFlight: number({ min: 0.1, max: 1_000_000 }),
    backlog: object<BacklogConfig>(
      { url: backlogUrl, perTask: number({ min: 0.1, max: 1_000_000_000 }) },
      { required: ["url", "perTask"] },
    ),
    downWindowMs: duration(0),
    stableWindowMs: duration(1000),
    tolerance: share,
    warmUpMs: duration(0),
  },
  { required: ["max"], someOf: ["cpu", "inFlight", "backlog"], check: minBelowMax },
);

function minBelowMax(draft: Partial<AutoscaleConfig>, place: Place): void {
  const { min = DEFAULTS.autoscale.min, max = Infinity } = draft;
  if (min > max) report(place, `has min ${min} above max ${max}`, "swap them");
}

const service = object<ServiceDraft>(
  {
    ...groupSettings,
    command,
    cwd: text("a folder", 4096),
    env: named(envName, scalarText, 1000),
    tasks: count(0, TASKS_MAX),
    startTimeoutMs: duration(100),
    drainTimeoutMs: duration(0),
    stopTimeoutMs: duration(0),
    deploy: object<Partial<DeployConfig>>({
      minHealthyPercent: count(0, 100),
      maxPercent: count(100, 1000),
      rollback: flag,
    }),
    limits: taskLimits,
    autoscale,
  },
  { required: ["command"] },
);

/** A whole config file. */
export const schema: Shape<ConfigDraft> = object<ConfigDraft>({
  admin,
  gateway,
  listeners: named(name, listener, LISTENERS_MAX),
  targetGroups: named(name, targetGroup, GROUPS_MAX),
  services: named(name, service, SERVICES_MAX),
  edges: named(name, edge, EDGES_MAX),
  databases: named(name, database, DATABASES_MAX),
  stores: named(name, store, STORES_MAX),
  steering,
});
