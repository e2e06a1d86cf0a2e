/** What the cache did, as Prometheus metrics: over all workers, since its store was made. */
import type { MetricFamily, MetricSample } from "../base/index.ts";
import { type CacheCounts, countsOf, type DiskStats, type StoreStats } from "../edge/index.ts";
import { counter, gauge } from "./metrics.ts";

/** All families of the cache, and of its disk tier if it has one; none while no rule has a cache. */
export function cacheMetrics(stats: StoreStats | undefined, disk?: DiskStats): MetricFamily[] {
  if (stats === undefined) return [];
  const counts = countsOf(stats);
  const families = [...requestFamilies(counts), ...storeFamilies(stats, counts)];
  return disk === undefined ? families : [...families, ...diskFamilies(disk)];
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

function diskFamilies(disk: DiskStats): MetricFamily[] {
  return [
    gauge("tenfold_cache_disk_entries", "Responses on disk, from a sample of its index.", [
      one(disk.objects),
    ]),
    gauge("tenfold_cache_disk_bytes", "Bytes of the segments on disk.", [one(disk.usedBytes)]),
    gauge("tenfold_cache_disk_capacity_bytes", "Bytes that segments may take.", [one(disk.capacityBytes)]),
    gauge("tenfold_cache_disk_index_bytes", "Bytes of the index, in memory and on disk.", [
      one(disk.indexBytes),
    ]),
    gauge("tenfold_cache_disk_off", "1 while nothing is written because the disk refuses, by reason.", [
      { labels: { reason: disk.off ?? "none" }, value: disk.off === undefined ? 0 : 1 },
    ]),
    counter("tenfold_cache_disk_hits_total", "Responses that memory did not have and the disk had.", [
      one(disk.found),
    ]),
    counter("tenfold_cache_disk_hit_bytes_total", "Bytes of their bodies.", [one(disk.foundBytes)]),
    counter(
      "tenfold_cache_disk_misses_total",
      "Looks at the disk that gave nothing, by reason.",
      byReason(disk.missed, "reason"),
    ),
    counter("tenfold_cache_disk_written_total", "Responses that were written to disk.", [one(disk.written)]),
    counter(
      "tenfold_cache_disk_written_again_total",
      "Responses that were hit and moved on before their segment was dropped.",
      [one(disk.writtenAgain)],
    ),
    counter("tenfold_cache_disk_written_bytes_total", "Bytes written to segments.", [one(disk.writtenBytes)]),
    counter("tenfold_cache_disk_lost_total", "Responses that were to be written when the disk failed.", [
      one(disk.lost),
    ]),
    counter(
      "tenfold_cache_disk_refused_total",
      "Responses that left memory and were not written, by reason.",
      byReason(disk.refused, "reason"),
    ),
  ];
}

function one(value: number): MetricSample {
  return { labels: {}, value };
}

function byReason(counts: Readonly<Record<string, number>>, label: string): MetricSample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { [label]: reason }, value }));
}
