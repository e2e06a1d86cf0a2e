/**
 * The admin API as types: what the controller serves under `/v1` on the admin address, and what the CLI reads.
 *
 * JSON over HTTP, bearer token from `admin.token` in the state directory. `/-/health` and `/metrics` need no token
 * while the admin address is on loopback. Errors are `{ error: { code, message, mend } }` with a fitting status.
 *
 *   GET  /v1/status                         Status
 *   GET  /v1/events?after=N                 EventRecord[]
 *   GET  /v1/services/NAME/scale            ScaleExplanation
 *   POST /v1/services/NAME/scale            { tasks: number } -> ServiceStatus
 *   POST /v1/services/NAME/deploy           -> DeployStatus (follow it in GET /v1/status)
 *   POST /v1/targets/GROUP/ID/drain         { undo?: boolean } -> TargetStatus
 *   POST /v1/cache/purge?wait=MS            PurgeOrder -> PurgeResult
 *   GET  /v1/cache/purges?after=SEQUENCE    PurgeRecord[]
 *   GET  /v1/cache/traffic                  CacheTrafficReport, null while no rule has a cache
 *   GET  /v1/cache/report?settle=SECONDS    CacheUsageReport, null while no rule has a cache
 *   POST /v1/edges/NAME/purges              PurgeBatch -> PurgeReceipt; from the installation NAME of the same site
 *   POST /v1/reload                         -> ReloadResult
 *   POST /v1/down                           -> { stopping: true }; the controller ends when all is stopped
 */
import type { ServerState } from "../database/index.ts";
import type { CacheUsage } from "../edge/index.ts";
import type { CacheCounters } from "../planner/index.ts";

/** Everything at a glance: controller, gateway, services. */
export interface Status {
  readonly version: string;
  readonly controller: {
    readonly pid: number;
    /** Wall clock, ISO 8601. */
    readonly since: string;
    readonly state: "running" | "stopping";
    readonly configPath: string | null;
    readonly stateDirectory: string;
    /** Revision last published. */
    readonly revision: number;
    /** What keeps it from deciding anything now, with the mend; null when nothing does. */
    readonly problem: string | null;
  };
  readonly gateway: {
    readonly workers: readonly WorkerStatus[];
    readonly listeners: readonly ListenerStatus[];
    readonly groups: readonly GroupStatus[];
    /** Requests that no group served: refused, redirected, answered by a rule. */
    readonly noGroup: TrafficTotals;
    /** Null while no rule has a cache. */
    readonly cache: CacheStatus | null;
    /** The other installations of the site; absent without any. */
    readonly edges?: readonly EdgeStatus[];
  };
  readonly services: readonly ServiceStatus[];
  /** Those of the config; absent without any. */
  readonly databases?: readonly DatabaseStatus[];
}

/** A database: its router, and its servers. */
export interface DatabaseStatus {
  readonly name: string;
  readonly mode: "async" | "quorum";
  /** Where its router listens, "127.0.0.1:6432". */
  readonly router: string;
  /** Of the data; null when the servers run elsewhere. */
  readonly folder: string | null;
  readonly servers: readonly DatabaseServerStatus[];
}

/** A server of a database. */
export interface DatabaseServerStatus {
  readonly name: string;
  readonly role: "primary" | "replica" | "witness" | null;
  /** As its agent has it; "no-agent": nobody tells; "elsewhere": it is not run here. */
  readonly state: ServerState | "no-agent" | "elsewhere";
  readonly address: string | null;
  /** What a replica has not replayed, or a witness has not got; null for a primary, or when it is not known. */
  readonly lagBytes: number | null;
  /** What keeps it from its work, or what is being done to it; empty when there is nothing to tell. */
  readonly note: string;
}

/** One gateway worker process. */
export interface WorkerStatus {
  readonly index: number;
  readonly pid: number;
  readonly state: "serving" | "starting" | "stopping" | "dead";
  readonly revision: number;
  readonly connections: number;
}

/** One listener with its rules in words. */
export interface ListenerStatus {
  readonly name: string;
  /** "http://127.0.0.1:8080" */
  readonly url: string;
  readonly rules: readonly { readonly name: string; readonly match: string; readonly action: string }[];
}

/** Counters since the scoreboard began; a reader that wants rates takes two readings. */
export interface TrafficTotals {
  readonly requests: number;
  readonly inFlight: number;
  readonly retries: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Index 0 = 1xx … 4 = 5xx. */
  readonly statuses: readonly number[];
  /** Gateway error code -> count; only codes that occurred. */
  readonly errors: Readonly<Record<string, number>>;
  /** Since the last minute (or since start), milliseconds; null when there was no request. */
  readonly latency: { readonly p50Ms: number | null; readonly p99Ms: number | null };
  /** Requests per second over the last few seconds. */
  readonly rps: number;
}

/** What the cache holds and did. Totals are since its store was made; reasons that never occurred are left out. */
export interface CacheStatus {
  /**
   * Share of the requests that were answered from the store (hit, stale, revalidated), without those that went around it:
   * of the last minute, and in all. Null when there were none.
   */
  readonly hitRatio: number | null;
  readonly hitRatioInAll: number | null;
  /** By how they were answered and why; `rps` is over the last few seconds. */
  readonly requests: readonly {
    readonly result: string;
    readonly reason: string;
    readonly count: number;
    readonly rps: number;
  }[];
  /** Reason -> responses that were not kept. */
  readonly refused: Readonly<Record<string, number>>;
  /** Reason -> responses that left. */
  readonly evicted: Readonly<Record<string, number>>;
  /** "url", "tag", "prefix" or "all" -> purges. */
  readonly purged: Readonly<Record<string, number>>;
  /** Bytes that clients got from the store: what targets did not have to send. */
  readonly servedBytes: number;
  /** Bytes that targets sent for rules with a cache. */
  readonly fetchedBytes: number;
  /** Responses that were kept, those that left since among them. */
  readonly stored: number;
  readonly entries: number;
  readonly liveBytes: number;
  readonly capacityBytes: number;
  /** What is kept on disk; null when responses are kept in memory alone. */
  readonly disk: CacheDiskStatus | null;
}

/** The disk tier of the cache. Totals are since its index was made; reasons that never occurred are left out. */
export interface CacheDiskStatus {
  /** About how many responses can be found. */
  readonly objects: number;
  readonly usedBytes: number;
  readonly capacityBytes: number;
  /** Responses that were found there when memory did not have them. */
  readonly found: number;
  readonly written: number;
  readonly writtenBytes: number;
  /** Responses that were to be written and were not, because the disk failed. */
  readonly lost: number;
  /** Reason -> looks that found nothing. */
  readonly missed: Readonly<Record<string, number>>;
  /** Reason -> responses that left memory and were not written. */
  readonly refused: Readonly<Record<string, number>>;
  /** Why nothing is written at the moment: "disk-full", "unwritable" or "io-error"; null when all is well. */
  readonly off: string | null;
}

/** The totals when this controller began, and now. */
export interface CacheTrafficReport {
  /** Between the two, milliseconds. */
  readonly spanMs: number;
  readonly first: CacheCounters;
  readonly last: CacheCounters;
  /** What the store holds now, and what it can. */
  readonly liveBytes: number;
  readonly capacityBytes: number;
}

/** What the stored responses are used for, by one look at them. */
export type CacheUsageReport = CacheUsage;

/** One target group: its traffic and its targets. */
export interface GroupStatus extends TrafficTotals {
  readonly name: string;
  readonly algorithm: string;
  /** Whether so few targets are healthy that health is ignored. */
  readonly panic: boolean;
  /** Who stands in for it; absent when nobody does. */
  readonly fallback?: FallbackStatus;
  readonly targets: readonly TargetStatus[];
}

/** What the fallback of a group does for it. */
export interface FallbackStatus {
  readonly group: string;
  readonly requestsMax: number;
  readonly inFlight: number;
  /** Requests that it took, and those for which it had no place. */
  readonly requests: number;
  readonly refused: number;
}

/** One target as gateway and controller see it. */
export interface TargetStatus {
  readonly id: string;
  readonly weight: number;
  readonly state: "active" | "draining";
  readonly health: "healthy" | "unhealthy" | "unknown";
  readonly ejected: boolean;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly status5xx: number;
  readonly rps: number;
  /** Task that listens there, "web/3". */
  readonly task?: string;
}

/** One service: what is wanted, what there is, and why they differ. */
export interface ServiceStatus {
  readonly name: string;
  readonly wanted: number;
  readonly running: number;
  readonly healthy: number;
  readonly revision: string;
  readonly state: "steady" | "changing" | "deploying" | "rolling-back" | "failing" | "removing";
  /** One sentence: what goes on, or what is wrong and how to mend it. */
  readonly message: string;
  readonly autoscale: { readonly min: number; readonly max: number } | null;
  readonly tasks: readonly TaskStatus[];
  readonly deploy: DeployStatus | null;
}

/** One task of a service. */
export interface TaskStatus {
  /** "web/3" */
  readonly id: string;
  readonly state: string;
  readonly pid: number | null;
  readonly port: number | null;
  readonly revision: string;
  readonly since: string;
  readonly restarts: number;
  readonly reason: string;
  readonly log: string;
  /** Share of one core over the last few seconds. */
  readonly cpu: number | null;
  readonly inFlight: number;
}

/** A deploy under way, or the last one. */
export interface DeployStatus {
  readonly service: string;
  readonly from: string;
  readonly to: string;
  readonly status: "running" | "succeeded" | "rolling-back" | "rolled-back" | "failed" | "superseded";
  readonly message: string;
  readonly started: string;
  readonly ended: string | null;
}

/** One decision of the autoscaler, with everything it saw. */
export interface ScaleRecord {
  readonly at: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly message: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly votes: readonly Readonly<Record<string, unknown>>[];
  readonly clamps: readonly string[];
}

/** What the autoscaler decided for a service, and by which policy. */
export interface ScaleExplanation {
  readonly service: string;
  readonly wanted: number;
  readonly policy: Readonly<Record<string, unknown>> | null;
  /** Newest first. */
  readonly decisions: readonly ScaleRecord[];
}

/** Something that happened, in a sentence. */
export interface EventRecord {
  readonly number: number;
  readonly at: string;
  readonly subject: string;
  readonly event: string;
  readonly message: string;
}

/** What a reload came to. */
export interface ReloadResult {
  readonly revision: number;
  /** What changed, in words; empty when nothing did. */
  readonly changes: readonly string[];
  /** What was wrong; when not empty the old config stays in force. */
  readonly problems: readonly string[];
}

/** What to purge: at most 100 things, or everything. */
export interface PurgeOrder {
  /** "https://shop.example/a?b=1": whatever is stored of it, over http and https, in all variants. */
  readonly urls?: readonly string[];
  /** Of `Cache-Tag`, `Surrogate-Key` and the like; case does not matter. */
  readonly tags?: readonly string[];
  /** "shop.example/images/": a host and the beginning of a path. */
  readonly prefixes?: readonly string[];
  readonly everything?: true;
  /** What is purged stays usable as stale. */
  readonly soft?: boolean;
  /** Counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Counts before it purges: work for each stored response. */
  readonly count?: boolean;
}

/** One thing that was purged. */
export interface PurgedItem {
  /** "tag product-17" */
  readonly what: string;
  /** Stored responses that it concerns, where a count was asked for. */
  readonly matched?: number;
}

/** What a purge came to. It holds for every worker. */
export interface PurgeResult {
  /** The number of the last purge: what is fetched from then on is not concerned. */
  readonly sequence: number;
  readonly soft: boolean;
  readonly dryRun: boolean;
  readonly purged: readonly PurgedItem[];
  /** Number of its entry in the log that goes to the other installations; absent without any. */
  readonly number?: number;
  /** Which of them had acknowledged it when the answer went out. */
  readonly edges?: readonly EdgeAcknowledgement[];
}

/** Whether an installation has carried out a purge, durably. */
export interface EdgeAcknowledgement {
  readonly edge: string;
  readonly role: "edge" | "shield";
  readonly acknowledged: boolean;
  /** Why not; "" when it has. */
  readonly problem: string;
}

/** Where another installation stands in the log of this one. */
export interface EdgeStatus {
  readonly edge: string;
  readonly role: "edge" | "shield";
  /** Null until it has answered for the first time. */
  readonly acknowledged: number | null;
  /** Purges that it has not acknowledged, and for how long the oldest of them has waited. */
  readonly lag: number;
  readonly lagMs: number;
  /** What went wrong at the last attempt; "" when nothing did. */
  readonly problem: string;
}

/** What became of a batch of another installation's log. */
export interface PurgeReceipt {
  /** "take" and "drop-all" acknowledge all up to `number`; "behind" asks for what follows it; "ahead" says that the log has lost entries. */
  readonly kind: "take" | "drop-all" | "behind" | "ahead";
  readonly number: number;
}

/** A purge that was carried out. */
export interface PurgeRecord {
  readonly sequence: number;
  readonly at: string;
  readonly soft: boolean;
  readonly what: readonly string[];
}

/** The body of every error answer. */
export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly mend: string;
    /** Each by itself, where there may be several. */
    readonly problems?: readonly string[];
  };
}

/** `controller.json` in the state directory: where the running controller is. */
export interface ControllerFile {
  readonly pid: number;
  /** "127.0.0.1:7070" */
  readonly admin: string;
  readonly version: string;
  readonly configPath: string | null;
}
