/**
 * Every default, in one block. The config reference in the guide says the same; a test compares the two.
 */
import type { CacheConfig, CacheStoreConfig } from "./cache.ts";
import type {
  AccessLogConfig,
  AdminConfig,
  Algorithm,
  AutoscaleConfig,
  ConnectionsConfig,
  DeployConfig,
  EjectionConfig,
  ForwardedConfig,
  HashKey,
  HealthConfig,
  LimitsConfig,
  RetryBudgetConfig,
  RetryConfig,
  RuleConfig,
  TargetGroupConfig,
  TimeoutsConfig,
} from "./config.ts";
import type { DatabaseConfig } from "./database.ts";
import type { FallbackConfig } from "./edges.ts";
import type { SteeringConfig } from "./steering.ts";
import type { StoreConfig } from "./store.ts";

interface Defaults {
  readonly admin: AdminConfig;
  readonly gateway: {
    readonly workers: "auto";
    readonly accessLog: AccessLogConfig;
    readonly name: string;
    readonly stopTimeoutMs: number;
  };
  readonly limits: LimitsConfig;
  readonly timeouts: TimeoutsConfig;
  readonly forwarded: ForwardedConfig;
  readonly retry: RetryConfig;
  readonly ruleHost: RuleConfig["host"];
  readonly cache: CacheConfig;
  readonly cacheStore: CacheStoreConfig;
  readonly algorithm: Algorithm;
  readonly hashKey: HashKey;
  readonly group: Pick<TargetGroupConfig, "panicThreshold" | "slowStartMs" | "boundedLoad">;
  readonly retryBudget: RetryBudgetConfig;
  readonly targetWeight: number;
  readonly health: Omit<HealthConfig, "kind">;
  readonly ejection: EjectionConfig;
  readonly connections: ConnectionsConfig;
  readonly fallback: Omit<FallbackConfig, "group">;
  readonly store: Omit<StoreConfig, "name" | "url">;
  /** `eviction` of a store whose use is "cache". */
  readonly cacheEviction: StoreConfig["eviction"];
  readonly database: Omit<
    DatabaseConfig,
    "name" | "url" | "folder" | "postgres" | "user" | "backups" | "appFolder"
  >;
  readonly service: {
    readonly tasks: number;
    readonly startTimeoutMs: number;
    readonly drainTimeoutMs: number;
    readonly stopTimeoutMs: number;
  };
  readonly deploy: DeployConfig;
  readonly autoscale: Omit<AutoscaleConfig, "max" | "cpu" | "inFlight" | "backlog">;
  readonly steering: Pick<SteeringConfig, "address" | "names" | "ttlMs" | "perSecond">;
  readonly edgeHealth: Omit<HealthConfig, "port"> & { readonly port: number };
}

/** `connections.hold` of a service's own group: the controller brings another task, which others have nobody to do. */
export const SERVICE_HOLD_MS = 5_000;

/** What a key means when nobody wrote it. */
export const DEFAULTS: Defaults = {
  admin: { address: { host: "127.0.0.1", port: 7070 } },
  gateway: { workers: "auto", accessLog: { kind: "off" }, name: "tenfold", stopTimeoutMs: 30_000 },
  limits: {
    requestLineBytesMax: 8 * 1024,
    headBytesMax: 32 * 1024,
    fieldsMax: 100,
    bodyBytesMax: 0,
    connectionsMax: 16_384,
    queueMax: 1024,
  },
  timeouts: {
    connectMs: 5000,
    firstByteMs: 60_000,
    idleMs: 60_000,
    totalMs: 0,
    headMs: 10_000,
    keepAliveMs: 75_000,
    upstreamKeepAliveMs: 4000,
    tunnelIdleMs: 3_600_000,
  },
  forwarded: { fields: "both", trustedProxies: [] },
  retry: { attempts: 1, nonIdempotent: false },
  ruleHost: { kind: "preserve" },
  cache: {
    key: { query: { kind: "all" }, sortQuery: false, headers: [], cookies: [], device: false, languages: [] },
    defaultTtlMs: 0,
    heuristic: true,
    negativeTtl: [],
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 60_000,
    graceMs: 24 * 3_600_000,
    softTimeoutMs: 1000,
    waitersMax: 4096,
    earlyHints: false,
    compress: false,
    shield: false,
    objectBytesMax: 0,
    sliceBytes: 0,
    setCookie: false,
    authorization: false,
  },
  cacheStore: { memoryBytes: 128 * 1024 * 1024 },
  algorithm: "round-robin",
  hashKey: { kind: "ip" },
  group: { panicThreshold: 0.5, slowStartMs: 0, boundedLoad: 1.25 },
  retryBudget: { ratio: 0.2, perSecond: 10 },
  targetWeight: 1,
  health: {
    path: "/",
    statuses: [[200, 399]],
    intervalMs: 1000,
    timeoutMs: 1000,
    rise: 2,
    fall: 3,
    jitter: 0.1,
  },
  ejection: { consecutive5xx: 5, consecutiveFailures: 3, baseMs: 30_000, maxMs: 300_000, shareMax: 0.5 },
  connections: { perTargetMax: 1024, idleMax: 256, queueTimeoutMs: 5000, holdMs: 0 },
  fallback: { requestsMax: 64 },
  store: {
    use: "state",
    address: { host: "127.0.0.1", port: 6379 },
    memoryBytes: 1024 ** 3,
    eviction: "noeviction",
    fsync: "everysec",
  },
  cacheEviction: "allkeys-s3-fifo",
  database: {
    replicaUrls: [],
    replicas: 0,
    witness: false,
    address: { host: "127.0.0.1", port: 6432 },
    workers: 1,
    pool: {
      mode: "transaction",
      size: 20,
      reserve: 0,
      queueMax: 10_000,
      queueTimeoutMs: 120_000,
      databaseMax: 0,
      userMax: 0,
      databaseClientsMax: 0,
      userClientsMax: 0,
      serverLifetimeMs: 3_600_000,
      serverIdleMs: 600_000,
      idleInTransactionMs: 0,
      queryTimeoutMs: 0,
      clientIdleMs: 0,
      messageTimeoutMs: 60_000,
    },
    adminUsers: [],
    consistency: "session",
    mode: "async",
    serverPort: 7433,
    settings: {},
    lease: { ttlMs: 5_000 },
    optional: false,
  },
  service: { tasks: 1, startTimeoutMs: 30_000, drainTimeoutMs: 30_000, stopTimeoutMs: 10_000 },
  deploy: { minHealthyPercent: 100, maxPercent: 200, rollback: true },
  autoscale: { min: 1, downWindowMs: 300_000, stableWindowMs: 60_000, tolerance: 0.1, warmUpMs: 10_000 },
  steering: { address: { host: "0.0.0.0", port: 53 }, names: ["@"], ttlMs: 30_000, perSecond: 50 },
  edgeHealth: {
    kind: "http",
    path: "/",
    port: 80,
    statuses: [[200, 399]],
    intervalMs: 5000,
    timeoutMs: 2000,
    rise: 2,
    fall: 2,
    jitter: 0.1,
  },
};
