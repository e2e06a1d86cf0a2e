/** What the traffic of a window costs by the month, with the cache and without it. */
import type { CachePrices } from "./prices.ts";

/** Prices are by the decimal gigabyte. */
const GB = 1e9;
const MILLION = 1e6;

/** Milliseconds of the month that is paid for: 30 days. */
export const MONTH_MS: number = 30 * 86_400_000;

/** Counters of the rules with a cache; the same whether in all or in a window. */
export interface CacheCounters {
  /** Requests by how they were answered: hit, stale, revalidated, miss, collapsed, bypass. */
  readonly results: Readonly<Record<string, number>>;
  /** Bytes that clients got, and those of them that came from the store. */
  readonly answeredBytes: number;
  readonly servedBytes: number;
  /** Answers of targets and their bytes. */
  readonly fetches: number;
  readonly fetchedBytes: number;
  readonly purges: number;
  /** Responses that were kept; those that left unasked; those that left for want of room. */
  readonly stored: number;
  readonly notUsedAgain: number;
  readonly crowdedOut: number;
}

/** A window of traffic. */
export interface CacheWindow extends CacheCounters {
  readonly spanMs: number;
  /** Memory that the store takes. */
  readonly capacityBytes: number;
}

/** What came between two readings. Counters only grow. */
export function grownBetween(first: CacheCounters, last: CacheCounters): CacheCounters {
  const results = Object.entries(last.results).map(([result, count]) => [
    result,
    count - (first.results[result] ?? 0),
  ]);
  const grown = (key: Exclude<keyof CacheCounters, "results">): number => last[key] - first[key];
  return {
    results: Object.fromEntries(results) as Record<string, number>,
    answeredBytes: grown("answeredBytes"),
    servedBytes: grown("servedBytes"),
    fetches: grown("fetches"),
    fetchedBytes: grown("fetchedBytes"),
    purges: grown("purges"),
    stored: grown("stored"),
    notUsedAgain: grown("notUsedAgain"),
    crowdedOut: grown("crowdedOut"),
  };
}

/** Requests of clients. */
export function requestsOf({ results }: Pick<CacheCounters, "results">): number {
  return Object.values(results).reduce((sum, count) => sum + count, 0);
}

/** Those that were answered from the store. */
export function hitsOfWindow({ results }: Pick<CacheCounters, "results">): number {
  return (results["hit"] ?? 0) + (results["stale"] ?? 0) + (results["revalidated"] ?? 0);
}

/** Who the targets are: the origin, or a shield before it, whose bytes have a price of their own. */
export type Upstream = "origin" | "shield";

/** By the month, in the table's currency. */
export interface CacheCosts {
  readonly requests: number;
  readonly edge: number;
  readonly fetched: number;
  readonly fetches: number;
  readonly purges: number;
  readonly memory: number;
  readonly total: number;
  /** The same traffic, all of it answered by the origin. */
  readonly without: { readonly egress: number; readonly requests: number; readonly total: number };
  readonly saving: number;
  /** Bytes from targets over bytes to clients, and the share of it up to which the cache pays; none where it never does. */
  readonly fetchedShare: number;
  readonly paysUpTo: number | undefined;
}

/** Price of a gigabyte that targets send to the edge. */
export function upstreamGb({ originGb, shieldGb }: CachePrices, upstream: Upstream): number {
  return upstream === "origin" ? originGb : shieldGb;
}

/** Projects a window to a month. The window must have a span. */
export function cacheCostsOf(window: CacheWindow, prices: CachePrices, upstream: Upstream): CacheCosts {
  const { spanMs, answeredBytes, fetchedBytes } = window;
  const months = MONTH_MS / spanMs;
  const parts = {
    requests: ((requestsOf(window) * months) / MILLION) * prices.edgeMillionRequests,
    edge: ((answeredBytes * months) / GB) * prices.edgeGb,
    fetched: ((fetchedBytes * months) / GB) * upstreamGb(prices, upstream),
    fetches: ((window.fetches * months) / MILLION) * prices.originMillionRequests,
    purges: window.purges * months * prices.purgePath,
    memory: (window.capacityBytes / GB) * prices.memoryGbPerMonth,
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const egress = ((answeredBytes * months) / GB) * prices.originGb;
  const requests = ((requestsOf(window) * months) / MILLION) * prices.originMillionRequests;
  const without = { egress, requests, total: egress + requests };
  const fetchedShare = answeredBytes === 0 ? 0 : fetchedBytes / answeredBytes;
  const saving = without.total - total;
  return { ...parts, total, without, saving, fetchedShare, paysUpTo: breakEven(parts, saving, fetchedShare) };
}

/** What varies with the share that targets send is taken to be their bytes and their requests alike. */
function breakEven(
  { fetched, fetches }: Pick<CacheCosts, "fetched" | "fetches">,
  saving: number,
  fetchedShare: number,
): number | undefined {
  const varying = fetched + fetches;
  if (varying === 0 || fetchedShare === 0) return undefined;
  const share = fetchedShare * (1 + saving / varying);
  return share > 0 && share < 1 ? share : undefined;
}
