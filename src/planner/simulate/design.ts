/**
 * A design: the typed graph that is simulated, with every default filled in. What people write becomes one in `parse`.
 *
 *   clients -> delay (DNS, network) -> cache (CDN) -> gateway -> service -> cache -> pool -> database | queue
 *
 * Any node may call any other as long as no cycle comes of it. Times are ms, rates per second.
 */
import type { AutoscaleConfig, DeployConfig, TargetGroupConfig } from "../../config/index.ts";
import type { Distribution } from "./distribution.ts";

/** Everything that one run needs; the same design and seed give the same result. */
export interface Design {
  readonly name: string;
  readonly clients: readonly ClientsDesign[];
  readonly nodes: readonly NodeDesign[];
  readonly faults: readonly Fault[];
  readonly run: RunDesign;
}

/** How long, how much, judged by what. */
export interface RunDesign {
  readonly durationMs: number;
  /** Left out of every figure, while queues and caches fill. */
  readonly warmUpMs: number;
  readonly seed: number;
  /**
   * Visits that may be under way at once, a request being one at each node that it is at; one more fails as
   * "too-many-in-system". Bounds memory.
   */
  readonly inSystemMax: number;
  /** Requests in all; the run ends early when they are spent. Bounds time. */
  readonly requestsMax: number;
  /** Length of one step of the series over time. */
  readonly windowMs: number;
  readonly objective: Objective;
}

/** What counts as well served. */
export interface Objective {
  /** Latency that 99 % of the requests of a window must keep. */
  readonly p99Ms: number;
  /** Share of requests that may fail. */
  readonly errorShare: number;
}

/** A class of clients that come by one law. */
export interface ClientsDesign {
  readonly name: string;
  /** Name of the node that they talk to. */
  readonly to: string;
  readonly arrivals: Arrivals;
  /** Kinds of requests with their weights; a node may treat each differently. */
  readonly routes: readonly { readonly name: string; readonly weight: number }[];
  /** After this long a client gives up; 0 = never. */
  readonly timeoutMs: number;
  /** Further tries of a client whose request failed, at once, without a budget: what a naive client library does. */
  readonly retries: number;
  /** Things asked for: how many, and how unequal (0 = all alike, 1 = Zipf). */
  readonly keys: { readonly count: number; readonly skew: number };
}

/** By what law requests come. */
export type Arrivals =
  /** Independent of the answers. `points` are [ms, requests per second], straight lines between. */
  | {
      readonly kind: "open";
      readonly spacing: "poisson" | "even";
      readonly points: readonly (readonly [atMs: number, rateRps: number])[];
    }
  /** A number of users, each of whom thinks, asks and waits for the answer. */
  | { readonly kind: "closed"; readonly users: number; readonly think: Distribution }
  /** All at one instant. */
  | { readonly kind: "herd"; readonly count: number; readonly atMs: number };

/** One node of the graph. */
export type NodeDesign =
  | DelayDesign
  | GatewayDesign
  | ServiceDesign
  | CacheDesign
  | PoolDesign
  | DatabaseDesign
  | QueueDesign;

interface NodeBase {
  readonly name: string;
  /** Price of one unit (task, replica, server) a month; 0 = not counted. */
  readonly pricePerMonth: number;
}

/** Time that passes without anything being used up: a name look-up, a network. */
export interface DelayDesign extends NodeBase {
  readonly kind: "delay";
  readonly time: Distribution;
  readonly to?: string;
}

/** How a gateway treats the targets of its service: the config's own settings. */
export type GroupDesign = Pick<
  TargetGroupConfig,
  | "algorithm"
  | "hashKey"
  | "health"
  | "ejection"
  | "panicThreshold"
  | "slowStartMs"
  | "boundedLoad"
  | "retryBudget"
  | "connections"
>;

/** Retries as the gateway does them; their budget is the group's. */
export interface RetryDesign {
  readonly attempts: number;
}

/** A load balancer in front of one service, or several of them. */
export interface GatewayDesign extends NodeBase {
  readonly kind: "gateway";
  readonly to: string;
  /** Gateways beside each other, each with a view of its own. The other numbers here are of one of them. */
  readonly count: number;
  readonly group: GroupDesign;
  readonly retry: RetryDesign;
  /** Longest wait for a target's answer; 0 = for ever. What takes longer is not tried again. */
  readonly firstByteMs: number;
  /** Requests that may wait for a connection. */
  readonly queueMax: number;
  /** CPU per request, and cores to spend it on. */
  readonly time: Distribution;
  readonly cores: number;
}

/** What a node does after its own work. */
export interface Call {
  readonly to: string;
  /** Chance that it is made. */
  readonly share: number;
  readonly times: number;
  /** All of its times at once, and at once with the parallel calls beside it, instead of one after the other. */
  readonly parallel: boolean;
  /** The answer does without it when it fails. */
  readonly optional: boolean;
}

/** Own work of a service for one route, then what it calls. */
export interface Work {
  readonly time: Distribution;
  readonly calls: readonly Call[];
}

/** Copies of an app. */
export interface ServiceDesign extends NodeBase {
  readonly kind: "service";
  readonly tasks: number;
  /** Requests that one task works on at the same instant. */
  readonly cores: number;
  /** Requests that one task holds at once, those that wait for what they called included; Infinity = no limit. */
  readonly concurrency: number;
  /** Requests that wait in one task beyond that; one more is answered with an error. */
  readonly queueMax: number;
  /** What takes longer is cut off: the connection closes, though the work goes on; 0 = never. */
  readonly timeLimitMs: number;
  /** By route; "*" for all others. */
  readonly work: Readonly<Record<string, Work>>;
  /** Share of answers that are errors of the app itself. */
  readonly errorShare: number;
  /** A new task is `factor` times as slow until `ms` have passed since it joined. */
  readonly coldStart: { readonly ms: number; readonly factor: number };
  /** Every task stops for `pauseMs` about every `everyMs` (garbage collection); 0 = never. */
  readonly pauses: { readonly everyMs: number; readonly pauseMs: number };
  /** From the wish for a task to its first answer. */
  readonly startDelayMs: number;
  /** Tasks are spread over this many zones. */
  readonly zones: number;
  readonly autoscale?: AutoscaleConfig;
  readonly deploy: DeployConfig;
}

/** A cache before something slower. */
export interface CacheDesign extends NodeBase {
  readonly kind: "cache";
  readonly to: string;
  readonly time: Distribution;
  /** A fixed share of hits, or what comes of keys, room and expiry. */
  readonly hits:
    | { readonly kind: "share"; readonly share: number }
    | { readonly kind: "keys"; readonly entries: number; readonly ttlMs: number };
  /** Concurrent misses of one key make one request to the origin. */
  readonly coalesce: boolean;
  /** Routes that always pass through. */
  readonly bypass: readonly string[];
}

/** A bound on requests at once, such as a pool of database connections. */
export interface PoolDesign extends NodeBase {
  readonly kind: "pool";
  readonly to: string;
  readonly size: number;
  readonly queueMax: number;
  /** 0 = for ever. */
  readonly queueTimeoutMs: number;
}

/** A primary with replicas, in one or more shards. */
export interface DatabaseDesign extends NodeBase {
  readonly kind: "database";
  /** Statements at once on one server. */
  readonly cores: number;
  readonly read: Distribution;
  readonly write: Distribution;
  /** Routes that write; all others read. */
  readonly writes: readonly string[];
  readonly replicas: number;
  /** Reads go to replicas, the primary only when there is none. */
  readonly readFromReplicas: boolean;
  /** A write waits for one replica to have it. */
  readonly sync: boolean;
  /** How far replicas are behind when they are not busy. */
  readonly lagMs: number;
  /** From the loss of the primary to the promotion of a replica. */
  readonly failoverMs: number;
  readonly shards: number;
  /** Share of keys that live in the first shard beyond its fair part, 0..1. */
  readonly skew: number;
  readonly queueMax: number;
}

/** Work that is accepted at once and done later. */
export interface QueueDesign extends NodeBase {
  readonly kind: "queue";
  /** To accept one. */
  readonly time: Distribution;
  readonly workers: number;
  /** To do one. */
  readonly work: Distribution;
  readonly depthMax: number;
  readonly to?: string;
}

/** Something that goes wrong, or is done, at an instant. `task` counts from 0. */
export type Fault =
  | { readonly kind: "kill-task"; readonly atMs: number; readonly node: string; readonly task: number }
  | { readonly kind: "kill-zone"; readonly atMs: number; readonly node: string; readonly zone: number }
  | {
      readonly kind: "slow-task";
      readonly atMs: number;
      readonly node: string;
      readonly task: number;
      readonly factor: number;
      readonly forMs: number;
    }
  /** The tasks take requests and answer none: a partition, or a hung process. Absent `task` = all. */
  | {
      readonly kind: "partition";
      readonly atMs: number;
      readonly node: string;
      readonly task?: number;
      readonly forMs: number;
    }
  | { readonly kind: "kill-primary"; readonly atMs: number; readonly node: string; readonly shard: number }
  | { readonly kind: "flush"; readonly atMs: number; readonly node: string }
  | { readonly kind: "deploy"; readonly atMs: number; readonly node: string }
  /** The autoscaler of the node sees nothing. */
  | { readonly kind: "lose-metrics"; readonly atMs: number; readonly node: string; readonly forMs: number };
