/** What the query cache counts, as numbers and as Prometheus text. */
import { type MetricFamily, renderMetrics } from "../../base/index.ts";
import type { Reason } from "./reasons.ts";

/** Counts since the start. */
export interface QueryCacheStats {
  readonly hits: number;
  /** Asked the database and offered its answer to the store. */
  readonly misses: number;
  /** Misses that waited for the same query of another caller. */
  readonly joined: number;
  /** Queries that went by the cache, by reason. */
  readonly bypassed: Readonly<Partial<Record<Reason, number>>>;
  /** Answers that were kept; fewer than misses by those that were too large, or whose tables changed meanwhile. */
  readonly stored: number;
  readonly tooLarge: number;
  readonly outdated: number;
  /** Acknowledged writes, and those among them that changed every version for want of knowing better. */
  readonly writes: number;
  readonly writesOfEverything: number;
  /** Writes whose mark could not be placed. */
  readonly unmarked: number;
  /** Calls of the store that failed. */
  readonly storeFailures: number;
}

/** The numbers while they grow. */
export interface Counters {
  hits: number;
  misses: number;
  joined: number;
  readonly bypassed: Partial<Record<Reason, number>>;
  stored: number;
  tooLarge: number;
  outdated: number;
  writes: number;
  writesOfEverything: number;
  unmarked: number;
}

/** All at zero. */
export function newCounters(): Counters {
  return {
    hits: 0,
    misses: 0,
    joined: 0,
    bypassed: {},
    stored: 0,
    tooLarge: 0,
    outdated: 0,
    writes: 0,
    writesOfEverything: 0,
    unmarked: 0,
  };
}

/** Counts one query that goes by the cache. */
export function countBypass(counters: Counters, reason: Reason): void {
  counters.bypassed[reason] = (counters.bypassed[reason] ?? 0) + 1;
}

/** The numbers as Prometheus reads them. */
export function queryCacheMetrics(stats: QueryCacheStats): string {
  const counter = (name: string, help: string, value: number): MetricFamily => ({
    name: `tenfold_query_cache_${name}_total`,
    help,
    type: "counter",
    samples: [{ labels: {}, value }],
  });
  return renderMetrics([
    counter("hits", "Queries answered from the cache.", stats.hits),
    counter("misses", "Queries that asked the database and could be cached.", stats.misses),
    counter("joined", "Misses that waited for the same query of another caller.", stats.joined),
    {
      name: "tenfold_query_cache_bypassed_total",
      help: "Queries that went by the cache, by reason.",
      type: "counter",
      samples: Object.entries(stats.bypassed).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    counter("stored", "Answers kept.", stats.stored),
    counter("too_large", "Answers not kept because of their size.", stats.tooLarge),
    counter("outdated", "Answers not kept because a table changed meanwhile.", stats.outdated),
    counter("writes", "Acknowledged writes.", stats.writes),
    counter("writes_of_everything", "Writes that changed every version.", stats.writesOfEverything),
    counter("unmarked", "Writes whose mark could not be placed.", stats.unmarked),
    counter("store_failures", "Calls of the store that failed.", stats.storeFailures),
  ]);
}
