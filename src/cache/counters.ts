/** What a cache counts, and the same as Prometheus' metrics. */
import { HISTOGRAM_SIZE, type MetricFamily, quantile, record } from "../base/index.ts";
import type { Outcome } from "./flight.ts";
import type { L1Stats } from "./l1.ts";

/** Counts since the start. */
export class Counters {
  /** Reads answered from memory, fresh. */
  l1Hits = 0;
  /** Reads answered from memory, stale, without waiting for a load. */
  l1Stale = 0;
  l1Misses = 0;
  storeHits = 0;
  /** Calls to the store that failed or were not tried because it is down. */
  storeErrors = 0;
  /** Values in the store that could not be decoded. */
  unreadable = 0;
  loads = 0;
  loadErrors = 0;
  /** Times that somebody else was loading. */
  waits = 0;
  /** Loaded values not kept because of an invalidation meanwhile. */
  voided = 0;
  earlyRefreshes = 0;
  sets = 0;
  invalidations = 0;
  /** Invalidations from other processes. */
  heard = 0;
  /** Times that L1 was emptied because some may have been missed. */
  interruptions = 0;
  readonly outcomes: Record<Outcome, number> = {
    fresh: 0,
    "stale-slow": 0,
    "stale-error": 0,
    error: 0,
    timeout: 0,
  };
  readonly #loadTimes: Uint32Array = new Uint32Array(HISTOGRAM_SIZE);

  /** Notes how long a load took. */
  observeLoad(ms: number): void {
    record(this.#loadTimes, 0, ms * 1000);
  }

  /** Milliseconds that the share `q` of the loads did not exceed. */
  loadMs(q: number): number {
    return quantile(this.#loadTimes, 0, q) / 1000;
  }
}

/** A copy of all counts, with those of L1. */
export interface CacheStats {
  readonly l1: L1Stats;
  readonly hits: { readonly l1: number; readonly l1Stale: number; readonly store: number };
  readonly misses: number;
  readonly loads: number;
  readonly loadErrors: number;
  readonly loadMs: { readonly p50: number; readonly p99: number };
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly waits: number;
  readonly voided: number;
  readonly earlyRefreshes: number;
  readonly sets: number;
  readonly invalidations: { readonly made: number; readonly heard: number; readonly interruptions: number };
  readonly storeErrors: number;
  readonly unreadable: number;
}

/** The stats of one cache. */
export function statsOf(counters: Counters, l1: L1Stats): CacheStats {
  return {
    l1,
    hits: { l1: counters.l1Hits, l1Stale: counters.l1Stale, store: counters.storeHits },
    misses: counters.l1Misses,
    loads: counters.loads,
    loadErrors: counters.loadErrors,
    loadMs: { p50: counters.loadMs(0.5), p99: counters.loadMs(0.99) },
    outcomes: { ...counters.outcomes },
    waits: counters.waits,
    voided: counters.voided,
    earlyRefreshes: counters.earlyRefreshes,
    sets: counters.sets,
    invalidations: {
      made: counters.invalidations,
      heard: counters.heard,
      interruptions: counters.interruptions,
    },
    storeErrors: counters.storeErrors,
    unreadable: counters.unreadable,
  };
}

/** The metrics of one cache; its name is the label. */
export function metricsOf(name: string, stats: CacheStats): MetricFamily[] {
  const labels = { cache: name };
  const counter = (
    metric: string,
    help: string,
    values: Readonly<Record<string, number>>,
    label = "",
  ): MetricFamily => ({
    name: `tenfold_app_cache_${metric}_total`,
    help,
    type: "counter",
    samples: Object.entries(values).map(([value, count]) => ({
      labels: label === "" ? labels : { ...labels, [label]: value },
      value: count,
    })),
  });
  const gauge = (metric: string, help: string, value: number): MetricFamily => ({
    name: `tenfold_app_cache_${metric}`,
    help,
    type: "gauge",
    samples: [{ labels, value }],
  });
  const { hits, outcomes, invalidations, l1, loadMs } = stats;
  const reads = { hit: hits.l1, stale: hits.l1Stale, miss: stats.misses };
  return [
    counter("reads", "Reads by what memory had.", reads, "result"),
    counter("store_hits", "Reads answered by the shared store.", { all: hits.store }),
    counter("store_errors", "Calls to the shared store that failed.", { all: stats.storeErrors }),
    counter(
      "loads",
      "Loader runs by how they ended.",
      { ok: stats.loads - stats.loadErrors, error: stats.loadErrors },
      "result",
    ),
    counter("answers", "What those who waited for a load got.", outcomes, "result"),
    counter("waits", "Times that another process was loading.", { all: stats.waits }),
    counter("voided", "Loaded values not kept because of an invalidation meanwhile.", { all: stats.voided }),
    counter("early_refreshes", "Refreshes before the end.", { all: stats.earlyRefreshes }),
    counter(
      "invalidations",
      "Invalidations by where they came from.",
      { here: invalidations.made, bus: invalidations.heard },
      "from",
    ),
    counter("interruptions", "Times that memory was emptied because the bus failed.", {
      all: invalidations.interruptions,
    }),
    counter("evictions", "Entries that left memory for others.", { all: l1.evictions }),
    gauge("entries", "Entries in memory.", l1.entries),
    gauge("used", "Entries in memory, or their bytes where bytes are counted.", l1.usedCost),
    gauge("capacity", "Most that memory may hold, in the same unit.", l1.capacity),
    gauge("load_p99_seconds", "Time that 99 % of the loads did not exceed.", loadMs.p99 / 1000),
  ];
}
