/** What a run gives: plain data, the same for the same design and seed. */
import type { Objective } from "./design.ts";

/** Times of the requests that were answered, ms. */
export interface LatencySummary {
  readonly meanMs: number;
  readonly p10Ms: number;
  readonly p25Ms: number;
  readonly p50Ms: number;
  readonly p75Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Requests of one class of clients, one route, or all. */
export interface TrafficResult {
  readonly name: string;
  /** Requests that ended after the warm-up, however. */
  readonly requests: number;
  readonly answered: number;
  /** Reason -> count; the gateway's codes unchanged. */
  readonly errors: Readonly<Record<string, number>>;
  readonly errorShare: number;
  /** Answered per second. */
  readonly throughputRps: number;
  readonly latency: LatencySummary;
}

/** How one node fared. */
export interface NodeResult {
  readonly name: string;
  readonly kind: string;
  readonly requests: number;
  /** Those of them that ended without an error. */
  readonly answered: number;
  /** Mean share of its capacity in use, 0..1; NaN never: 0 for what has no capacity. */
  readonly utilisation: number;
  /** Where units are not alike, such as primaries and replicas: how busy the busiest of each kind is. */
  readonly parts: readonly { readonly name: string; readonly utilisation: number }[];
  /** Units that could work at once, mean over the run: cores, connections, workers. Infinity = unlimited. */
  readonly capacity: number;
  /** Mean number that waited. */
  readonly queued: number;
  readonly queuedMax: number;
  /** Mean time spent in it, what it called included, ms. */
  readonly meanMs: number;
  /** Errors that began here, by reason. */
  readonly errors: Readonly<Record<string, number>>;
  /** Further numbers of its kind: hits, misses, retries, tasks, lag. */
  readonly counters: Readonly<Record<string, number>>;
  /** What it costs a month at its mean number of units. */
  readonly costPerMonth: number;
}

/** One step of time. */
export interface WindowResult {
  readonly atMs: number;
  readonly arrivalsRps: number;
  readonly answeredRps: number;
  readonly errorShare: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that clients wait for at its end. */
  readonly inFlight: number;
  /** Whether the objective was broken in it. */
  readonly violated: boolean;
  /** By node: utilisation within the window, queue at its end, tasks. */
  readonly nodes: Readonly<Record<string, WindowNode>>;
}

/** One node in one step of time. */
export interface WindowNode {
  readonly utilisation: number;
  readonly queued: number;
  readonly units: number;
  /** Replicas only: how far they are behind at its end. */
  readonly lagMs: number;
}

/** A node, or a part of one, that limits the whole. */
export interface Bottleneck {
  readonly node: string;
  /** Which of its parts it is, when they are not alike. */
  readonly part?: string;
  readonly utilisation: number;
  /** Offered load at which it is full, as a multiple of this run's. */
  readonly fullAtLoad: number;
}

/** A change of a service's number of tasks. */
export interface ScaleEvent {
  readonly atMs: number;
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

/** A whole run. */
export interface SimulationResult {
  readonly name: string;
  readonly seed: number;
  /** Simulated time that counted, ms. */
  readonly measuredMs: number;
  readonly total: TrafficResult;
  readonly clients: readonly TrafficResult[];
  readonly routes: readonly TrafficResult[];
  readonly nodes: readonly NodeResult[];
  readonly windows: readonly WindowResult[];
  readonly scaling: readonly ScaleEvent[];
  readonly objective: Objective;
  /** Time in windows that broke the objective, ms. */
  readonly violationMs: number;
  /** The one that is full at the least load first; at most two, and none below a tenth busy. */
  readonly bottlenecks: readonly Bottleneck[];
  readonly costPerMonth: number;
  /** Events that were processed, for speed. */
  readonly events: number;
  /** Why the run ended before its time, if it did. */
  readonly endedEarly?: "requests-spent";
}
