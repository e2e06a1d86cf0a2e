/**
 * The schema of a snapshot file: everything is required, nothing has a second spelling.
 *
 * A worker that cannot read every word of a snapshot must not serve by half of it, so unknown keys refuse the file.
 */
import type { Forward, Redirect, Respond } from "./action.ts";
import type {
  CacheConfig,
  CacheDiskConfig,
  CacheKeyConfig,
  CacheQueryConfig,
  CacheStoreConfig,
} from "./cache.ts";
import {
  type AccessLogConfig,
  type ActionConfig,
  type Address,
  ALGORITHMS,
  type ConnectionsConfig,
  type EjectionConfig,
  type FieldMatch,
  type ForwardedConfig,
  type GatewayConfig,
  type HashKey,
  type HealthConfig,
  type LimitsConfig,
  type ListenerConfig,
  type MatchConfig,
  type PathMatch,
  type RetryBudgetConfig,
  type RetryConfig,
  type RuleConfig,
  type TimeoutsConfig,
  type ValueMatch,
} from "./config.ts";
import type { FallbackConfig } from "./edges.ts";
import { report } from "./problem.ts";
import { compileFault } from "./regex.ts";
import { leaf, list, object, type Rows, type Shape } from "./shape.ts";
import { GROUP_SLOTS, SLOTS, type Snapshot, type Target, type TargetGroup } from "./snapshot.ts";
import { cidr, flag, integer, name, number, word } from "./values.ts";

const anyText: Shape<string> = leaf("a string", "string", (value: string) => value);
const size: Shape<number> = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const amount: Shape<number> = number({ min: 0, max: Number.MAX_SAFE_INTEGER });
const share: Shape<number> = number({ min: 0, max: 1 });

/** Items of one list. The file was written by us; the bound only keeps a damaged one from running on. */
const ITEMS_MAX = 100_000;

const many = <T>(item: Shape<T>): Shape<readonly T[]> => list(item, ITEMS_MAX);

/** An object in which every key but the `optional` ones is there. */
function whole<T extends object>(rows: Rows<T>, optional: readonly (keyof T & string)[] = []): Shape<T> {
  const keys = Object.keys(rows) as (keyof T & string)[];
  return object<T>(rows, { required: keys.filter((key) => !optional.includes(key)) });
}

type Kinds<T extends { readonly kind: string }> = {
  readonly [K in T["kind"]]: Shape<Extract<T, { kind: K }>>;
};

/** A tagged union, told apart by `kind`. */
function union<T extends { readonly kind: string }>(kinds: Kinds<T>): Shape<T> {
  const shapes = kinds as Readonly<Record<string, Shape<T>>>;
  return leaf(
    `an object of kind ${Object.keys(shapes).join(", ")}`,
    "object",
    (input: Record<string, unknown>, place) => {
      const kind = input["kind"];
      const shape = typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
      return shape?.read(input, place);
    },
  );
}

const bare = <K extends string>(kind: K): Shape<{ readonly kind: K }> =>
  whole<{ readonly kind: K }>({ kind: word([kind]) });

const regex: Shape<string> = leaf("a regex", "string", (value: string, place) => {
  const fault = compileFault(value);
  return fault === undefined
    ? value
    : report(place, `is a regex that does not compile: ${fault}`, "build the snapshot again");
});

const address: Shape<Address> = whole<Address>({ host: anyText, port: integer({ min: 0, max: 65_535 }) });

const disk: Shape<CacheDiskConfig> = whole<CacheDiskConfig>({ sizeBytes: size, folder: anyText }, ["folder"]);

const gateway: Shape<GatewayConfig> = whole<GatewayConfig>(
  {
    workers: size,
    accessLog: union<AccessLogConfig>({
      off: bare("off"),
      json: bare("json"),
      combined: bare("combined"),
      format: whole({ kind: word(["format"]), format: anyText }),
    }),
    limits: whole<LimitsConfig>({
      requestLineBytesMax: size,
      headBytesMax: size,
      fieldsMax: size,
      bodyBytesMax: size,
      connectionsMax: size,
      queueMax: size,
    }),
    timeouts: whole<TimeoutsConfig>({
      connectMs: amount,
      firstByteMs: amount,
      idleMs: amount,
      totalMs: amount,
      headMs: amount,
      keepAliveMs: amount,
      upstreamKeepAliveMs: amount,
      tunnelIdleMs: amount,
    }),
    forwarded: whole<ForwardedConfig>({
      fields: word(["both", "x-forwarded", "forwarded", "off"]),
      trustedProxies: many(cidr),
    }),
    name: anyText,
    edge: name,
    stopTimeoutMs: amount,
    cache: whole<CacheStoreConfig>({ memoryBytes: size, disk, purgeTokenFile: anyText }, [
      "disk",
      "purgeTokenFile",
    ]),
  },
  ["edge"],
);

const source = <K extends string>(kind: K): Shape<{ readonly kind: K; readonly source: string }> =>
  whole({ kind: word([kind]), source: regex });

const path: Shape<PathMatch> = union<PathMatch>({
  exact: whole({ kind: word(["exact"]), path: anyText }),
  prefix: whole({ kind: word(["prefix"]), path: anyText }),
  glob: source("glob"),
  regex: source("regex"),
});

const field: Shape<FieldMatch> = whole<FieldMatch>({
  name: anyText,
  value: union<ValueMatch>({
    present: bare("present"),
    absent: bare("absent"),
    exact: whole({ kind: word(["exact"]), value: anyText }),
    regex: source("regex"),
  }),
});

const match: Shape<MatchConfig> = whole<MatchConfig>({
  hosts: many(anyText),
  paths: many(path),
  methods: many(anyText),
  headers: many(field),
  queries: many(field),
  sourceIps: many(cidr),
});

const headerField: Shape<readonly [string, string]> = leaf(
  "[name, value]",
  "list",
  (input: readonly unknown[]) => {
    const [key, value] = input;
    return typeof key === "string" && typeof value === "string" && input.length === 2
      ? ([key, value] as const)
      : undefined;
  },
);

const action: Shape<ActionConfig> = union<ActionConfig>({
  forward: whole<Forward>({ kind: word(["forward"]), groups: many(whole({ group: name, weight: size })) }),
  redirect: whole<Redirect>({
    kind: word(["redirect"]),
    status: integer({ min: 301, max: 308 }) as Shape<Redirect["status"]>,
    location: anyText,
  }),
  respond: whole<Respond>({
    kind: word(["respond"]),
    status: integer({ min: 200, max: 599 }),
    headers: many(headerField),
    body: anyText,
  }),
});

const statusTtl: Shape<readonly [number, number]> = leaf(
  "[status, ms]",
  "list",
  (input: readonly unknown[]) => {
    const [status, ms] = input;
    return typeof status === "number" && typeof ms === "number" ? ([status, ms] as const) : undefined;
  },
);

const cacheKey: Shape<CacheKeyConfig> = whole<CacheKeyConfig>({
  query: union<CacheQueryConfig>({
    all: bare("all"),
    none: bare("none"),
    only: whole({ kind: word(["only"]), names: many(anyText) }),
    except: whole({ kind: word(["except"]), names: many(anyText) }),
  }),
  sortQuery: flag,
  headers: many(anyText),
  cookies: many(anyText),
  device: flag,
  languages: many(anyText),
});

const cache: Shape<CacheConfig> = whole<CacheConfig>(
  {
    key: cacheKey,
    ttlMs: amount,
    defaultTtlMs: amount,
    heuristic: flag,
    negativeTtl: many(statusTtl),
    staleWhileRevalidateMs: amount,
    staleIfErrorMs: amount,
    graceMs: amount,
    softTimeoutMs: amount,
    waitersMax: size,
    browser: anyText,
    earlyHints: flag,
    compress: flag,
    shield: flag,
    objectBytesMax: size,
    sliceBytes: size,
    setCookie: flag,
    authorization: flag,
  },
  ["ttlMs", "browser"],
);

const rule: Shape<RuleConfig> = whole<RuleConfig>(
  {
    name: anyText,
    match,
    action,
    timeouts: object<RuleConfig["timeouts"]>({
      connectMs: amount,
      firstByteMs: amount,
      idleMs: amount,
      totalMs: amount,
    }),
    retry: whole<RetryConfig>({ attempts: size, nonIdempotent: flag }),
    bodyBytesMax: size,
    host: union<RuleConfig["host"]>({
      preserve: bare("preserve"),
      target: bare("target"),
      fixed: whole({ kind: word(["fixed"]), host: anyText }),
    }),
    cache,
  },
  ["bodyBytesMax", "cache"],
);

const listener: Shape<ListenerConfig> = whole<ListenerConfig>({
  name,
  address,
  protocol: word(["http"]),
  rules: many(rule),
});

const keyed = <K extends string>(kind: K): Shape<{ readonly kind: K; readonly name: string }> =>
  whole({ kind: word([kind]), name: anyText });

const statusRange: Shape<readonly [number, number]> = leaf(
  "[from, to]",
  "list",
  (input: readonly unknown[]) => {
    const [from, to] = input;
    return typeof from === "number" && typeof to === "number" && from <= to
      ? ([from, to] as const)
      : undefined;
  },
);

const health: Shape<HealthConfig> = whole<HealthConfig>(
  {
    kind: word(["http", "tcp"]),
    path: anyText,
    host: anyText,
    port: integer({ min: 1, max: 65_535 }),
    statuses: many(statusRange),
    intervalMs: amount,
    timeoutMs: amount,
    rise: size,
    fall: size,
    jitter: share,
  },
  ["host", "port"],
);

const target: Shape<Target> = whole<Target>({
  id: anyText,
  slot: integer({ min: 0, max: SLOTS - 1 }),
  state: word(["active", "draining"]),
  address,
  weight: integer({ min: 1, max: 1000 }),
});

const targetGroup: Shape<TargetGroup> = whole<TargetGroup>(
  {
    name,
    slot: integer({ min: 0, max: GROUP_SLOTS - 1 }),
    algorithm: word(ALGORITHMS),
    hashKey: union<HashKey>({
      ip: bare("ip"),
      path: bare("path"),
      url: bare("url"),
      header: keyed("header"),
      cookie: keyed("cookie"),
      query: keyed("query"),
    }),
    targets: many(target),
    health,
    ejection: whole<EjectionConfig>({
      consecutive5xx: size,
      consecutiveFailures: size,
      baseMs: amount,
      maxMs: amount,
      shareMax: share,
    }),
    panicThreshold: share,
    slowStartMs: amount,
    boundedLoad: amount,
    retryBudget: whole<RetryBudgetConfig>({ ratio: share, perSecond: amount }),
    connections: whole<ConnectionsConfig>({
      perTargetMax: size,
      idleMax: size,
      queueTimeoutMs: amount,
      holdMs: amount,
    }),
    fallback: whole<FallbackConfig>({ group: name, requestsMax: size }),
  },
  ["health", "fallback"],
);

/** A whole snapshot file. */
export const snapshotSchema: Shape<Snapshot> = whole<Snapshot>({
  revision: integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  gateway,
  listeners: many(listener),
  targetGroups: many(targetGroup),
  slotCursor: integer({ min: 0, max: SLOTS - 1 }),
  groupSlotCursor: integer({ min: 0, max: GROUP_SLOTS - 1 }),
});
