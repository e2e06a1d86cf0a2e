/** The counters of a store as people ask for them: only what occurred, by kind and reason. */
import { CACHED_AS, type CacheResult, COUNTER, type Counter } from "./counters.ts";
import type { StoreStats } from "./store.ts";

/** How many requests were answered so, for this reason. */
export interface ResultCount {
  readonly result: CacheResult;
  readonly reason: string;
  readonly count: number;
}

/** What the cache did since its store was made. Reasons that never occurred are left out. */
export interface CacheCounts {
  /** In the order of the results: hit, stale, revalidated, miss, collapsed, bypass. */
  readonly requests: readonly ResultCount[];
  /** Reason -> responses that were not kept. */
  readonly refused: Readonly<Record<string, number>>;
  /** Reason -> responses that left. */
  readonly evicted: Readonly<Record<string, number>>;
  /** "url", "tag", "prefix" or "all" -> purges. */
  readonly purged: Readonly<Record<string, number>>;
  /** Bytes that clients got, wherever they came from. */
  readonly answeredBytes: number;
  /** Bytes that clients got from the store. */
  readonly servedBytes: number;
  /** Answers of targets, those for nobody but the store among them. */
  readonly fetches: number;
  /** Bytes that targets sent for rules with a cache. */
  readonly fetchedBytes: number;
}

/** Sorts the counters of `stats`. O(counters). */
export function countsOf({ counters }: Pick<StoreStats, "counters">): CacheCounts {
  const byName: Readonly<Record<string, number>> = counters;
  const requests = CACHED_AS.map(({ result, reason }) => ({
    result,
    reason,
    count: byName[`${result} ${reason}`] ?? 0,
  }));
  return {
    requests: requests.filter(({ count }) => count > 0),
    refused: withPrefix(counters, "refused "),
    evicted: withPrefix(counters, "evicted "),
    purged: withPrefix(counters, "purged "),
    answeredBytes: counters.answeredBytes,
    servedBytes: counters.servedBytes,
    fetches: counters.fetches,
    fetchedBytes: counters.fetchedBytes,
  };
}

function withPrefix(counters: StoreStats["counters"], prefix: string): Record<string, number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the table
  const names = Object.keys(COUNTER) as Counter[];
  const counted = names.filter((name) => name.startsWith(prefix) && counters[name] > 0);
  return Object.fromEntries(counted.map((name) => [name.slice(prefix.length), counters[name]]));
}

/** Requests answered from the store, and those that could have been: all but those that went around it. */
export function hitsOf(requests: readonly ResultCount[]): { readonly hits: number; readonly of: number } {
  const sum = (of: readonly string[]): number =>
    requests.reduce((total, { result, count }) => total + (of.includes(result) ? count : 0), 0);
  return {
    hits: sum(["hit", "stale", "revalidated"]),
    of: sum(["hit", "stale", "revalidated", "miss", "collapsed"]),
  };
}
