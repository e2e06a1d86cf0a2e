/** What the rules with a cache did since this controller began: the counters then and now, in the sums that cost money. */
import type { Clock } from "../base/index.ts";
import { countsOf, type StoreStats } from "../edge/index.ts";
import type { CacheCounters } from "../planner/index.ts";
import type { CacheTrafficReport } from "./api.ts";

interface Opening {
  readonly atMs: number;
  readonly totals: CacheCounters;
}

export class CacheLedger {
  readonly #statsInUse: () => StoreStats | undefined;
  readonly #clock: Clock;
  #opening: Opening | undefined;

  /** `statsInUse`: undefined while no rule has a cache. */
  constructor(statsInUse: () => StoreStats | undefined, clock: Clock) {
    this.#statsInUse = statsInUse;
    this.#clock = clock;
  }

  /** Opens the books, once there is a cache: workers that an earlier controller started have counted before. */
  begin(): void {
    const stats = this.#statsInUse();
    if (this.#opening !== undefined || stats === undefined) return;
    this.#opening = { atMs: this.#clock.nowMs(), totals: totalsOf(stats) };
  }

  /** From then until now; null without a cache. */
  report(): CacheTrafficReport | null {
    const stats = this.#statsInUse();
    if (stats === undefined) return null;
    const atMs = this.#clock.nowMs();
    const last = totalsOf(stats);
    const opening = this.#opening ?? { atMs, totals: last };
    const { liveBytes, capacityBytes } = stats;
    return { spanMs: atMs - opening.atMs, first: opening.totals, last, liveBytes, capacityBytes };
  }
}

function totalsOf(stats: StoreStats): CacheCounters {
  const { requests, purged, evicted, answeredBytes, servedBytes, fetches, fetchedBytes } = countsOf(stats);
  const results: Record<string, number> = {};
  for (const { result, count } of requests) results[result] = (results[result] ?? 0) + count;
  const notUsedAgain = evicted["not-used-again"] ?? 0;
  return {
    results,
    answeredBytes,
    servedBytes,
    fetches,
    fetchedBytes,
    purges: Object.values(purged).reduce((sum, count) => sum + count, 0),
    stored: stats.counters.inserts,
    notUsedAgain,
    crowdedOut: notUsedAgain + (evicted["least-used"] ?? 0) + (evicted["bucket-full"] ?? 0),
  };
}
