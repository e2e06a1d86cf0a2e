/**
 * The normalised configuration: what every other part reads.
 *
 * A user's file (see `UserConfig`) goes parse -> normalise -> validate -> frozen `Config`. Here every default is
 * filled in, every duration is milliseconds, every size is bytes, and every name that is referred to exists.
 */
import type { CacheConfig, CacheStoreConfig } from "./cache.ts";
import type { DatabaseConfig } from "./database.ts";
import type { EdgeConfig, FallbackConfig } from "./edges.ts";
import type { SteeringConfig } from "./steering.ts";
import type { StoreConfig } from "./store.ts";

/** Everything one config file says, defaults included. Frozen all the way down. */
export interface Config {
  readonly admin: AdminConfig;
  readonly gateway: GatewayConfig;
  readonly listeners: readonly ListenerConfig[];
  /** Static groups and the groups that services make, in one namespace. */
  readonly targetGroups: readonly TargetGroupConfig[];
  readonly services: readonly ServiceConfig[];
  /** The other installations of the same site, which purges reach. */
  readonly edges: readonly EdgeConfig[];
  readonly stores: readonly StoreConfig[];
  readonly databases: readonly DatabaseConfig[];
  /** What `tenfold steer` answers; nothing else reads it. */
  readonly steering?: SteeringConfig;
}

/** A host and port to listen on or connect to. IPv6 hosts are kept without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface AdminConfig {
  readonly address: Address;
}

/** Settings of the data plane as a whole. */
export interface GatewayConfig {
  /** Worker processes; "auto" is already resolved to one per core. */
  readonly workers: number;
  readonly accessLog: AccessLogConfig;
  readonly limits: LimitsConfig;
  readonly timeouts: TimeoutsConfig;
  readonly forwarded: ForwardedConfig;
  /** Name in Via and in the gateway's own responses. Default "tenfold". */
  readonly name: string;
  /** What this installation is called among those of a site; absent = it is the only one. */
  readonly edge?: string;
  /** How long a stopping worker waits for requests in flight before it closes them. Default 30 s. */
  readonly stopTimeoutMs: number;
  readonly cache: CacheStoreConfig;
}

export type AccessLogConfig =
  | { readonly kind: "off" }
  | { readonly kind: "json" }
  | { readonly kind: "combined" }
  | { readonly kind: "format"; readonly format: string };

/** Bounds on what one client may make the gateway hold. */
export interface LimitsConfig {
  /** Request line, default 8 KiB. Longer: 414. */
  readonly requestLineBytesMax: number;
  /** Whole head (request line and fields), default 32 KiB. Larger: 431. */
  readonly headBytesMax: number;
  /** Fields of one head, default 100. More: 431. */
  readonly fieldsMax: number;
  /** Request body, default 0 = no bound (bodies stream through). Larger: 413. */
  readonly bodyBytesMax: number;
  /** Client connections per worker, default 16384. More are closed at once and counted. */
  readonly connectionsMax: number;
  /** Requests that wait for a target's connection, per group and worker, default 1024. More: 503. */
  readonly queueMax: number;
}

/** Every wait has an end. A rule may override the four that concern one request. */
export interface TimeoutsConfig {
  /** TCP connect to a target, default 5 s. */
  readonly connectMs: number;
  /** Request sent until the first response byte, default 60 s. */
  readonly firstByteMs: number;
  /** No byte in either direction while a message is under way, default 60 s. Upgraded connections: 1 h. */
  readonly idleMs: number;
  /** Whole exchange, first request byte to last response byte, default 0 = no bound. */
  readonly totalMs: number;
  /** First byte of a head until its last (slow-header attack), default 10 s. */
  readonly headMs: number;
  /** Idle client connection between requests, default 75 s. */
  readonly keepAliveMs: number;
  /** Idle pooled connection to a target, default 4 s: below Node's 5 s, so that we close first. */
  readonly upstreamKeepAliveMs: number;
  /** Upgraded (WebSocket) connection without a byte, default 1 h. */
  readonly tunnelIdleMs: number;
}

export interface ForwardedConfig {
  /** Which fields name the client to the target. Default "both". */
  readonly fields: "both" | "x-forwarded" | "forwarded" | "off";
  /** CIDR blocks of proxies in front of us whose fields are believed and appended to. Default none: they are replaced. */
  readonly trustedProxies: readonly string[];
}

export interface ListenerConfig {
  readonly name: string;
  readonly address: Address;
  readonly protocol: "http";
  /** First match wins. A request that no rule matches gets 404 `no-rule`. */
  readonly rules: readonly RuleConfig[];
}

export interface RuleConfig {
  /** "listener/3": for logs, metrics and `explain`. */
  readonly name: string;
  readonly match: MatchConfig;
  readonly action: ActionConfig;
  readonly timeouts: Partial<Pick<TimeoutsConfig, "connectMs" | "firstByteMs" | "idleMs" | "totalMs">>;
  readonly retry: RetryConfig;
  /** Overrides `limits.bodyBytesMax` when present. */
  readonly bodyBytesMax?: number;
  /** Absent = nothing is kept. Only of a rule that forwards. */
  readonly cache?: CacheConfig;
  /** Host sent to the target: the client's ("preserve", default), the target's address, or a fixed one. */
  readonly host:
    | { readonly kind: "preserve" }
    | { readonly kind: "target" }
    | { readonly kind: "fixed"; readonly host: string };
}

/** All given conditions must hold; inside one condition any alternative is enough. Empty = matches all. */
export interface MatchConfig {
  /** "shop.example" or "*.shop.example"; lower case, no port. */
  readonly hosts: readonly string[];
  readonly paths: readonly PathMatch[];
  readonly methods: readonly string[];
  readonly headers: readonly FieldMatch[];
  readonly queries: readonly FieldMatch[];
  /** CIDR blocks. */
  readonly sourceIps: readonly string[];
}

/** One way to match a path. */
export type PathMatch =
  | { readonly kind: "exact"; readonly path: string }
  /** "/api/*": that folder and all below it ("/api" and "/api/x", not "/apix"). */
  | { readonly kind: "prefix"; readonly path: string }
  /** "*" inside a segment, "**" over segments, "?" one character; compiled to `source`. */
  | { readonly kind: "glob"; readonly source: string }
  | { readonly kind: "regex"; readonly source: string };

/** One way to match the value of a field or parameter. */
export type ValueMatch =
  | { readonly kind: "present" }
  | { readonly kind: "absent" }
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "regex"; readonly source: string };

/** A condition on one header field or query parameter. */
export interface FieldMatch {
  /** Lower case for headers, as written for query parameters. */
  readonly name: string;
  readonly value: ValueMatch;
}

export type ActionConfig =
  /** One group has weight 1; several share traffic by weight. A group with weight 0 gets none. */
  | {
      readonly kind: "forward";
      readonly groups: readonly { readonly group: string; readonly weight: number }[];
    }
  /** `location` may hold {scheme} {host} {path} {query}. */
  | { readonly kind: "redirect"; readonly status: 301 | 302 | 303 | 307 | 308; readonly location: string }
  | {
      readonly kind: "respond";
      readonly status: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      readonly body: string;
    };

export interface RetryConfig {
  /** Further tries after the first, default 1. 0 = off. */
  readonly attempts: number;
  /** Whether a request that may have reached a target is sent again when its method is not idempotent. Default false. */
  readonly nonIdempotent: boolean;
}

/** The balancing algorithms, by the names of the config. */
export const ALGORITHMS = [
  "round-robin",
  "weighted-round-robin",
  "least-requests",
  "p2c",
  "random",
  "ip-hash",
  "hash",
  "consistent-hash",
  "maglev",
  "least-response-time",
] as const;

/** One of `ALGORITHMS`. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** What `hash`, `consistent-hash` and `maglev` hash. */
export type HashKey =
  | { readonly kind: "ip" }
  | { readonly kind: "path" }
  /** Host, path and query; for a rule with a cache what its key counts of them. */
  | { readonly kind: "url" }
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "query"; readonly name: string };

export interface TargetGroupConfig {
  readonly name: string;
  /** Default "round-robin"; "weighted-round-robin" when weights differ and none is named. */
  readonly algorithm: Algorithm;
  readonly hashKey: HashKey;
  /** Static targets. Empty for a service's own group: its tasks join when healthy. */
  readonly targets: readonly TargetConfig[];
  /** The service that fills this group, if any. */
  readonly service?: string;
  /** Absent = no active checks: a target counts as healthy until passive checks say otherwise. */
  readonly health?: HealthConfig;
  readonly ejection: EjectionConfig;
  /** Below this share of healthy targets all are used, health ignored. 0..1, default 0.5; 0 = off. */
  readonly panicThreshold: number;
  /** 0 = off (default). Never at start of the gateway, and only when another target is warm. */
  readonly slowStartMs: number;
  /** Bounded-load factor of consistent-hash, default 1.25. */
  readonly boundedLoad: number;
  readonly retryBudget: RetryBudgetConfig;
  readonly connections: ConnectionsConfig;
  /** Who answers when no target of this group does. */
  readonly fallback?: FallbackConfig;
}

/** How many of a group's requests may be sent again, so that an outage is not answered with a storm. Per worker. */
export interface RetryBudgetConfig {
  /** Retries per request, 0..1; default 0.2. */
  readonly ratio: number;
  /** Retries per second that are allowed whatever the number of requests; default 10. */
  readonly perSecond: number;
}

export interface TargetConfig {
  readonly address: Address;
  /** 1..1000, default 1. */
  readonly weight: number;
  /** What it is called, and hashed by, in place of its address: the same at gateways that reach it by different ones. */
  readonly name?: string;
}

export interface ConnectionsConfig {
  /** Connections to one target from one worker, default 1024; beyond it requests queue. */
  readonly perTargetMax: number;
  /** Idle connections kept per target and worker, default 256. */
  readonly idleMax: number;
  /** How long a request may wait for a connection, default 5 s; then 503 `queue-timeout`. */
  readonly queueTimeoutMs: number;
  /**
   * How long a request that no target has seen waits for one to accept it, as while the only task is being replaced.
   * Default 5 s in a service's group, 0 (answer 502 or 503 at once) in others.
   */
  readonly holdMs: number;
}

/** Active checks: `rise` passes in a row bring a target in, `fall` failures take it out. */
export interface HealthConfig {
  readonly kind: "http" | "tcp";
  readonly path: string;
  /** Host field of the check, default the target's address. */
  readonly host?: string;
  /** Another port to check, default the target's own. */
  readonly port?: number;
  /** Status codes that pass, as closed ranges; default 200-399. */
  readonly statuses: readonly (readonly [from: number, to: number])[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Each wait is interval x (1 ± jitter); default 0.1. */
  readonly jitter: number;
}

/** Passive checks (outlier ejection): real responses take a target out for a while. */
export interface EjectionConfig {
  /** 5xx in a row before ejection, default 5; 0 = off. */
  readonly consecutive5xx: number;
  /** Connect failures, resets and timeouts in a row, default 3; 0 = off. */
  readonly consecutiveFailures: number;
  /** First ejection, default 30 s; the n-th in a row lasts n times as long. */
  readonly baseMs: number;
  /** Cap, default 300 s. */
  readonly maxMs: number;
  /** Largest share of the group that may be out at once, default 0.5, but always at least one when there are two. */
  readonly shareMax: number;
}

/** A service keeps `tasks` copies of one command running and registered. */
export interface ServiceConfig {
  readonly name: string;
  /** argv; never a shell line. */
  readonly command: readonly string[];
  /** Absolute. Default: the folder of the config file. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Wanted number at first start, default 1. With autoscale: clamped to min..max. */
  readonly tasks: number;
  readonly targetGroup: string;
  /** Readiness of a task. Default: HTTP when `health` was given, else TCP on its port. */
  readonly health: HealthConfig;
  /** How long a new task may take to become healthy, default 30 s. */
  readonly startTimeoutMs: number;
  /** Drain: in-flight 0 or this long, default 30 s. */
  readonly drainTimeoutMs: number;
  /** SIGTERM until SIGKILL, default 10 s. */
  readonly stopTimeoutMs: number;
  readonly deploy: DeployConfig;
  readonly limits: TaskLimitsConfig;
  readonly autoscale?: AutoscaleConfig;
  /**
   * Its tasks start what is to outlive them, as an agent does its server: nothing that is in a session of its own is ended with a task, and
   * a task whose place another one takes gets SIGHUP in place of SIGTERM.
   */
  readonly outlived?: boolean;
  /** When all goes down, its tasks are stopped after those of every lower stage. Default 0; what apps need is above that. */
  readonly stage?: number;
}

export interface DeployConfig {
  /** Of the wanted number, rounded up. Default 100. */
  readonly minHealthyPercent: number;
  /** Of the wanted number, rounded down. Default 200. */
  readonly maxPercent: number;
  /** Roll back by itself when the circuit breaker opens. Default true. */
  readonly rollback: boolean;
}

/** cgroup limits where cgroups are writable. Absent = unlimited. */
export interface TaskLimitsConfig {
  /** Cores, e.g. 0.5. */
  readonly cpu?: number;
  readonly memoryBytes?: number;
  /** At least 64: Node hangs below. */
  readonly pidsMax?: number;
}

/** Where the autoscaler reads how much work waits. */
export interface BacklogConfig {
  readonly url: string;
  /** How much of it a task should have at most. */
  readonly perTask: number;
}

export interface AutoscaleConfig {
  readonly min: number;
  readonly max: number;
  /** Target CPU per task as a share of one core (or of its cpu limit), 0..1. */
  readonly cpu?: number;
  /** Target requests in flight per task. */
  readonly inFlight?: number;
  /** Target of waiting work per task; `url` answers with JSON, `{ "depth": 1200 }`. */
  readonly backlog?: BacklogConfig;
  /** Recommendations of this long are remembered and the highest wins on the way down. Default 300 s. */
  readonly downWindowMs: number;
  /** Average over this long for the stable decision. Default 60 s. */
  readonly stableWindowMs: number;
  /** No change when |observed/target - 1| is at most this. Default 0.1. */
  readonly tolerance: number;
  /** CPU of a task younger than this is not counted. Default 10 s. */
  readonly warmUpMs: number;
}
