/** What the cache did, as Prometheus metrics: over all workers, since its store was made. */
import type { MetricFamily, MetricSample } from "../base/index.ts";
import { type CacheCounts, countsOf, type StoreStats } from "../edge/index.ts";
import { counter, gauge } from "./metrics.ts";

/** All families of the cache; none while no rule has one. */
export function cacheMetrics(stats: StoreStats | undefined): MetricFamily[] {
  if (stats === undefined) return [];
  const counts = countsOf(stats);
  return [...requestFamilies(counts), ...storeFamilies(stats, counts)];
}

function requestFamilies({ requests, refused, ...sums }: CacheCounts): MetricFamily[] {
  const { answeredBytes, servedBytes, fetches, fetchedBytes } = sums;
  return [
    counter(
      "tenfold_cache_requests_total",
      "Requests of rules with a cache, by how they were answered and why.",
      requests.map(({ result, reason, count }) => ({ labels: { result, reason }, value: count })),
    ),
    counter(
      "tenfold_cache_refused_total",
      "Responses that were not kept, by reason.",
      byReason(refused, "reason"),
    ),
    counter("tenfold_cache_answered_bytes_total", "Bytes that clients of rules with a cache got.", [
      one(answeredBytes),
    ]),
    counter("tenfold_cache_served_bytes_total", "Bytes that clients got from the cache.", [one(servedBytes)]),
    counter("tenfold_cache_fetches_total", "Answers of targets for rules with a cache.", [one(fetches)]),
    counter("tenfold_cache_fetched_bytes_total", "Bytes that targets sent for rules with a cache.", [
      one(fetchedBytes),
    ]),
  ];
}

function storeFamilies(
  { entries, liveBytes, capacityBytes, counters }: StoreStats,
  { evicted, purged }: CacheCounts,
): MetricFamily[] {
  return [
    counter("tenfold_cache_stored_total", "Responses that were kept.", [one(counters.inserts)]),
    counter(
      "tenfold_cache_evictions_total",
      "Responses that left the cache, by reason.",
      byReason(evicted, "reason"),
    ),
    counter(
      "tenfold_cache_purges_total",
      "Purges, by what they name; changes that went well are purges of their URL.",
      byReason(purged, "kind"),
    ),
    gauge("tenfold_cache_entries", "Responses in the cache.", [one(entries)]),
    gauge("tenfold_cache_bytes", "Bytes of the responses in the cache.", [one(liveBytes)]),
    gauge("tenfold_cache_capacity_bytes", "Bytes that responses may take.", [one(capacityBytes)]),
  ];
}

function one(value: number): MetricSample {
  return { labels: {}, value };
}

function byReason(counts: Readonly<Record<string, number>>, label: string): MetricSample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { [label]: reason }, value }));
}
