/** What the cache did of late: readings of its counters, taken once a second. */
import { countsOf, type DiskStats, hitsOf, type ResultCount, type StoreStats } from "../edge/index.ts";
import type { CacheStatus } from "./api.ts";

/** Readings kept, one a second: the hit ratio of late is that of a minute. */
const READINGS = 60;

/** Readings that rates are of. */
const RATE_READINGS = 5;

interface Reading {
  readonly atMs: number;
  readonly requests: readonly ResultCount[];
}

export class CacheTraffic {
  readonly #statsInUse: () => StoreStats | undefined;
  readonly #diskStats: () => DiskStats | undefined;
  #readings: Reading[] = [];

  /** `statsInUse`: undefined while no rule has a cache. `diskStats`: undefined while it has memory alone. */
  constructor(
    statsInUse: () => StoreStats | undefined,
    diskStats: () => DiskStats | undefined = () => undefined,
  ) {
    this.#statsInUse = statsInUse;
    this.#diskStats = diskStats;
  }

  /** Takes the first reading, so that the first request counts as one of late; later ones wait for their second. */
  begin(nowMs: number): void {
    if (this.#readings.length === 0) this.read(nowMs);
  }

  /** Takes a reading; called once a second. */
  read(nowMs: number): void {
    const stats = this.#statsInUse();
    if (stats === undefined) this.#readings = [];
    else this.#readings = [...this.#readings.slice(1 - READINGS), readingOf(stats, nowMs)];
  }

  /** Totals, and what there was of late; null without a cache. */
  status(nowMs: number): CacheStatus | null {
    const stats = this.#statsInUse();
    if (stats === undefined) return null;
    const { entries, liveBytes, capacityBytes, counters } = stats;
    const counts = countsOf(stats);
    const now = readingOf(stats, nowMs);
    const late = grown(this.#readings[0] ?? now, now);
    const rated = this.#readings.at(-RATE_READINGS) ?? this.#readings[0] ?? now;
    return {
      hitRatio: ratio(late),
      hitRatioInAll: ratio(counts.requests),
      requests: ratesOf(rated, now),
      refused: counts.refused,
      evicted: counts.evicted,
      purged: counts.purged,
      servedBytes: counts.servedBytes,
      fetchedBytes: counts.fetchedBytes,
      stored: counters.inserts,
      entries,
      liveBytes,
      capacityBytes,
      disk: diskStatus(this.#diskStats()),
    };
  }
}

function diskStatus(stats: DiskStats | undefined): CacheStatus["disk"] {
  if (stats === undefined) return null;
  const {
    indexBytes: _,
    foundBytes: _bytes,
    writtenAgain: _again,
    rebuild: _rebuild,
    off = null,
    ...rest
  } = stats;
  return { ...rest, off };
}

function readingOf(stats: StoreStats, atMs: number): Reading {
  return { atMs, requests: countsOf(stats).requests };
}

/** What came between two readings. */
function grown(first: Reading, last: Reading): ResultCount[] {
  return last.requests.map((row) => ({ ...row, count: row.count - countIn(first, row) }));
}

function countIn({ requests }: Reading, { result, reason }: ResultCount): number {
  return requests.find((row) => row.result === result && row.reason === reason)?.count ?? 0;
}

function ratesOf(first: Reading, last: Reading): CacheStatus["requests"] {
  const seconds = (last.atMs - first.atMs) / 1000;
  return last.requests.map((row) => {
    const rps = seconds > 0 ? (row.count - countIn(first, row)) / seconds : 0;
    return { ...row, rps: Math.max(0, rps) };
  });
}

function ratio(requests: readonly ResultCount[]): number | null {
  const { hits, of } = hitsOf(requests);
  return of > 0 ? hits / of : null;
}
