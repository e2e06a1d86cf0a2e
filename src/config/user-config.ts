/**
 * The shape a user writes in `tenfold.config.ts` (or .js, .json, .yaml).
 *
 * Durations and sizes have two spellings: a text with its unit under the plain key (`interval: "1s"`,
 * `headMax: "64KiB"`), or a number under the key that carries the unit (`intervalMs: 1000`, `headBytesMax: 65536`).
 * Only the first is listed here; `Numbered` adds the second. Unknown keys are refused.
 */
import type { Algorithm } from "./config.ts";
import type { UserCache, UserCacheStore } from "./user-cache.ts";
import type { UserDatabase } from "./user-database.ts";
import type { UserSteering } from "./user-steering.ts";
import type { UserStore } from "./user-store.ts";

/** "250ms", "30s", "5m", "1h", "1d". */
export type Duration = `${number}${"us" | "ms" | "s" | "m" | "h" | "d"}`;

/** "512B", "64KiB" (1024s), "10MB" (1000s). */
export type Size = `${number}${"B" | "KB" | "MB" | "GB" | "TB" | "KiB" | "MiB" | "GiB" | "TiB"}`;

/** Adds the number spellings: `interval` -> `intervalMs`, `headMax` -> `headBytesMax`, `memory` -> `memoryBytes`. */
export type Numbered<T> = T & {
  readonly [K in keyof T & string as Exclude<T[K], undefined> extends Duration ? `${K}Ms` : never]?: number;
} & {
  readonly [K in keyof T & string as Exclude<T[K], undefined> extends Size ? SizeKey<K> : never]?: number;
};

type SizeKey<K extends string> = K extends `${infer Stem}Max` ? `${Stem}BytesMax` : `${K}Bytes`;

/** "127.0.0.1:8080", "app.internal:80", "[::1]:80", ":8080", or the port alone. */
export type UserAddress = string | number;

/** A whole config. */
export interface UserConfig {
  readonly admin?: UserAdmin;
  readonly gateway?: Numbered<UserGateway>;
  /** Where clients connect, by name. */
  readonly listeners?: Readonly<Record<string, UserListener>>;
  /** Targets that run elsewhere, by name. A service makes a group of its own name; an entry here may hold its settings. */
  readonly targetGroups?: Readonly<Record<string, Numbered<UserTargetGroup>>>;
  /** Apps to keep running, by name. */
  readonly services?: Readonly<Record<string, Numbered<UserService>>>;
  /** The other installations of the same site, by the name that each has in its `gateway.edge`: a purge reaches them all. */
  readonly edges?: Readonly<Record<string, UserEdge>>;
  /** The DNS server of `tenfold steer`, which sends clients to the nearest edge. */
  readonly steering?: Numbered<UserSteering>;
  /** Databases, by name: Postgres servers that tenfold runs, or others by URL, behind a router. */
  readonly databases?: Readonly<Record<string, Numbered<UserDatabase>>>;
  /** Stores that tasks share, by name: the embedded one, or Redis by URL. */
  readonly stores?: Readonly<Record<string, Numbered<UserStore>>>;
}

/** The admin API, metrics and console. */
export interface UserAdmin {
  /** Default "127.0.0.1:7070". A port alone means loopback. */
  readonly address?: UserAddress;
}

/** The data plane as a whole. */
export interface UserGateway {
  /** Worker processes, 1..32. Default "auto": one per core. */
  readonly workers?: number | "auto";
  /** "off", "json", "combined", or a format with {placeholders}. Default "off". */
  readonly accessLog?: string;
  readonly limits?: Numbered<UserLimits>;
  readonly timeouts?: Numbered<UserTimeouts>;
  readonly forwarded?: UserForwarded;
  /** Name in Via and in the gateway's own responses. Default "tenfold". */
  readonly name?: string;
  /** What this installation is called among those of a site, such as "fra": in X-Edge, Cache-Status and CDN-Loop. Default none. */
  readonly edge?: string;
  /** How long a stopping worker waits for requests in flight. Default "30s". */
  readonly stopTimeout?: Duration;
  readonly cache?: Numbered<UserCacheStore>;
}

/** Bounds on what one client may make the gateway hold. */
export interface UserLimits {
  /** Request line. Default "8KiB". Longer: 414. */
  readonly requestLineMax?: Size;
  /** Request line and fields together. Default "32KiB". Larger: 431. */
  readonly headMax?: Size;
  /** Fields of one head. Default 100. More: 431. */
  readonly fieldsMax?: number;
  /** Request body. Default "0B": no bound. Larger: 413. */
  readonly bodyMax?: Size;
  /** Client connections per worker. Default 16384. */
  readonly connectionsMax?: number;
  /** Requests waiting for a connection to a target, per group and worker. Default 1024. More: 503. */
  readonly queueMax?: number;
}

/** Timeouts that a rule may set for its own requests. */
export interface UserRuleTimeouts {
  /** TCP connect to a target. Default "5s". */
  readonly connect?: Duration;
  /** Request sent until the first byte of the response. Default "60s". */
  readonly firstByte?: Duration;
  /** No byte in either direction while a message is under way. Default "60s". */
  readonly idle?: Duration;
  /** The whole exchange. Default "0s": no bound. */
  readonly total?: Duration;
}

/** Every wait has an end. */
export interface UserTimeouts extends UserRuleTimeouts {
  /** First byte of a head until its last. Default "10s". */
  readonly head?: Duration;
  /** Idle client connection between requests. Default "75s". */
  readonly keepAlive?: Duration;
  /** Idle connection to a target. Default "4s": below Node's 5 s, so that the gateway closes first. */
  readonly upstreamKeepAlive?: Duration;
  /** Upgraded (WebSocket) connection without a byte. Default "1h". */
  readonly tunnelIdle?: Duration;
}

/** How the client is named to the target. */
export interface UserForwarded {
  /** Which fields are written. Default "both". */
  readonly fields?: "both" | "x-forwarded" | "forwarded" | "off";
  /** Proxies in front of us whose fields are believed: addresses or CIDR blocks. Default none. */
  readonly trustedProxies?: string | readonly string[];
}

/** One address and what happens to requests that arrive there. */
export interface UserListener {
  /** A port alone, or ":8080", means every IPv4 interface. */
  readonly address: UserAddress;
  /** Default "http", the only one available in this version. */
  readonly protocol?: "http" | "https" | "tcp" | "tls" | "udp";
  /** First match wins; a request that no rule matches gets 404. */
  readonly rules: readonly UserRule[];
}

/** Which requests, and exactly one of `forward`, `redirect` and `respond`. */
export type UserRule = Numbered<UserRuleSettings>;

/** See `UserRule`. */
export interface UserRuleSettings {
  /** All given conditions must hold; in a list any alternative is enough. Default: every request. */
  readonly match?: UserMatch;
  /** A target group or service, or several that share the traffic by weight (0..1000, default 1). */
  readonly forward?: string | readonly { readonly group: string; readonly weight?: number }[];
  /** Where to send the client; may hold {scheme} {host} {path} {query}. Default status 302. */
  readonly redirect?: string | { readonly to: string; readonly status?: 301 | 302 | 303 | 307 | 308 };
  /** A fixed response, or its status alone. */
  readonly respond?: number | UserResponse;
  readonly timeouts?: Numbered<UserRuleTimeouts>;
  readonly retry?: number | UserRetry;
  /** Overrides `gateway.limits.bodyMax`. */
  readonly bodyMax?: Size;
  /** Host sent to the target: the client's ("preserve"), the target's address ("target"), or this one. Default "preserve". */
  readonly host?: string;
  /** Keeps responses and answers from memory: `{}` as far as the origin allows (RFC 9111). `true` is `{}`, `false` is none. */
  readonly cache?: boolean | Numbered<UserCache>;
}

/** A response that the gateway makes by itself. */
export interface UserResponse {
  /** 200..599. Default 200. */
  readonly status?: number;
  /** Default empty. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** When a request is sent again. A number stands for `attempts`. */
export interface UserRetry {
  /** Further tries after the first, 0..10. Default 1. */
  readonly attempts?: number;
  /** Also send a request again that may have reached a target and is not idempotent. Default false. */
  readonly nonIdempotent?: boolean;
}

/** Conditions on a request. */
export interface UserMatch {
  /** "shop.example" or "*.shop.example". */
  readonly host?: string | readonly string[];
  /** "/exact", "/folder/*" (it and all below), "/img/**\/*.png", or "~ regex". */
  readonly path?: string | readonly string[];
  /** "GET" or ["GET", "HEAD"]. */
  readonly method?: string | readonly string[];
  /** By header name: true (present), false (absent), "value", "~ regex", or a list of alternatives. */
  readonly header?: Readonly<Record<string, UserValueMatch>>;
  /** The same by query parameter. */
  readonly query?: Readonly<Record<string, UserValueMatch>>;
  /** Client addresses or CIDR blocks. */
  readonly source?: string | readonly string[];
}

/** See `UserMatch.header`. */
export type UserValueMatch = boolean | string | readonly string[];

/** How requests are shared among the targets of a group. */
export interface UserGroupSettings {
  /** Default "round-robin", or "weighted-round-robin" when the weights of the targets differ. */
  readonly algorithm?: Algorithm;
  /** What hash, consistent-hash and maglev hash. Default "ip". */
  readonly on?: "ip" | "path" | "url" | `header:${string}` | `cookie:${string}` | `query:${string}`;
  /** Active checks. A group without them counts on real responses; a service checks that its port accepts connections. */
  readonly health?: Numbered<UserHealth>;
  readonly ejection?: Numbered<UserEjection>;
  /** Below this share of healthy targets all are used. 0..1, default 0.5; 0 = off. */
  readonly panicThreshold?: number;
  /** How long a new target takes to its full share. Default "0s": off. */
  readonly slowStart?: Duration;
  /** consistent-hash: how far above the average a target may be loaded. Default 1.25. */
  readonly boundedLoad?: number;
  /** How many requests may be sent again: a share of them, and some a second. Default { ratio: 0.2, perSecond: 10 }. */
  readonly retryBudget?: { readonly ratio?: number; readonly perSecond?: number };
  readonly connections?: Numbered<UserConnections>;
  /** Who answers when no target of this group does: a group, or with how many requests at once (default 64). */
  readonly fallback?: string | { readonly group: string; readonly requestsMax?: number };
}

/** Targets that run elsewhere. */
export interface UserTargetGroup extends UserGroupSettings {
  /** Addresses; weight 1..1000, default 1. A name is what a hashing algorithm goes by in place of the address. */
  readonly targets?: readonly (UserAddress | UserTarget)[];
}

/** One of the targets of a group. */
export interface UserTarget {
  readonly address: UserAddress;
  readonly weight?: number;
  readonly name?: string;
}

/** Active checks: `rise` passes in a row bring a target in, `fall` failures take it out. */
export interface UserHealth {
  /** Default "http". */
  readonly kind?: "http" | "tcp";
  /** Default "/". */
  readonly path?: string;
  /** Host field of the check. Default: the target's address. */
  readonly host?: string;
  /** Default: the target's own. */
  readonly port?: number;
  /** Statuses that pass. Default "200-399". */
  readonly statuses?: number | string | readonly (number | string)[];
  /** Default "1s". */
  readonly interval?: Duration;
  /** Default "1s". */
  readonly timeout?: Duration;
  /** Default 2. */
  readonly rise?: number;
  /** Default 3. */
  readonly fall?: number;
  /** Each wait is interval x (1 ± jitter), 0..1. Default 0.1. */
  readonly jitter?: number;
}

/** Passive checks: real responses take a target out for a while. */
export interface UserEjection {
  /** 5xx in a row. Default 5; 0 = off. */
  readonly consecutive5xx?: number;
  /** Connect failures, resets and timeouts in a row. Default 3; 0 = off. */
  readonly consecutiveFailures?: number;
  /** First ejection; the n-th in a row lasts n times as long. Default "30s". */
  readonly base?: Duration;
  /** Cap. Default "5m". */
  readonly max?: Duration;
  /** Largest share of the group that may be out at once, 0..1. Default 0.5. */
  readonly shareMax?: number;
}

/** Connections from one worker to the targets of a group. */
export interface UserConnections {
  /** To one target; beyond it requests queue. Default 1024. */
  readonly perTargetMax?: number;
  /** Idle ones kept per target. Default 256. */
  readonly idleMax?: number;
  /** How long a request may wait for one. Default "5s". */
  readonly queueTimeout?: Duration;
  /** How long a request that no target has seen waits for one to accept it. Default "5s" for a service, else "0". */
  readonly hold?: Duration;
}

/** An app of which `tasks` copies are kept running behind a target group of the same name. */
export interface UserService extends UserGroupSettings {
  /** argv; no shell reads it. The task gets PORT in its environment and listens there. */
  readonly command: readonly string[];
  /** Default: the folder of the config file. */
  readonly cwd?: string;
  /** Added to the environment of tenfold itself. */
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  /** Copies, 0..1000. Default 1; with autoscale clamped to min..max. */
  readonly tasks?: number;
  /** How long a new task may take to become healthy. Default "30s". */
  readonly startTimeout?: Duration;
  /** How long a leaving task may finish its requests. Default "30s". */
  readonly drainTimeout?: Duration;
  /** SIGTERM until SIGKILL. Default "10s". */
  readonly stopTimeout?: Duration;
  readonly deploy?: UserDeploy;
  readonly limits?: Numbered<UserTaskLimits>;
  readonly autoscale?: Numbered<UserAutoscale>;
}

/** How a rolling deploy moves, in percent of the wanted number of tasks. */
export interface UserDeploy {
  /** Tasks that must stay healthy, rounded up. 0..100, default 100. */
  readonly minHealthyPercent?: number;
  /** Tasks that may run, rounded down. 100..1000, default 200. */
  readonly maxPercent?: number;
  /** Go back by itself when new tasks keep failing. Default true. */
  readonly rollback?: boolean;
}

/** cgroup limits of one task, where cgroups are writable. Default: unlimited. */
export interface UserTaskLimits {
  /** Cores, such as 0.5. */
  readonly cpu?: number;
  readonly memory?: Size;
  /** Processes and threads; at least 64, Node hangs below. */
  readonly pidsMax?: number;
}

/** Target tracking: the number of tasks follows the load. At least one of `cpu` and `inFlight`. */
export interface UserAutoscale {
  /** Default 1. */
  readonly min?: number;
  readonly max: number;
  /** Wanted CPU per task, as a share of one core or of its limit, 0..1. */
  readonly cpu?: number;
  /** Wanted requests in flight per task. */
  readonly inFlight?: number;
  /** Wanted work per task of what waits: `url` is asked once a second and answers `{ "depth": 1200 }`, as `tenfold/queue`'s endpoint does. */
  readonly backlog?: { readonly url: string; readonly perTask: number };
  /** The highest recommendation of this long wins on the way down. Default "5m". */
  readonly downWindow?: Duration;
  /** The stable decision averages over this long. Default "60s". */
  readonly stableWindow?: Duration;
  /** Deviation that changes nothing, 0..1. Default 0.1. */
  readonly tolerance?: number;
  /** CPU of a younger task is not counted. Default "10s". */
  readonly warmUp?: Duration;
}

/** Another installation of the same site. */
export interface UserEdge {
  /** Its admin API: "https://10.0.0.2:7070"; http on loopback alone. */
  readonly admin: string;
  /** A file with the token of that API (`admin.token` of its state directory). */
  readonly tokenFile: string;
  /** "shield" if edges forward to it: it has to forget before they do. Default "edge". */
  readonly role?: "edge" | "shield";
}

/** Gives a config its types in the editor; returns it unchanged. */
export function defineConfig(config: UserConfig): UserConfig {
  return config;
}
