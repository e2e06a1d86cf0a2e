/** What the numbers say about how to build it, each sentence with the numbers that carry it. */
import { formatNumber } from "../report/unit.ts";
import { type Estimate, ONE_PRIMARY } from "./estimate.ts";
import { YEAR_DAYS } from "./spans.ts";
import { counted, joined, yearsText } from "./text.ts";
import type { Workload } from "./workload.ts";

/** From so many reads for each write on, a cache takes load off the database; below, it is mostly invalidated. */
const CACHE_READS = 10;

/** What the network card of one machine sends: above it, somebody else has to. */
const ONE_CARD_BPS = 10e9;

/** The sentences. */
export function verdictOf(workload: Workload, result: Estimate): string[] {
  return [databaseSentence(workload, result), ...cdnSentences(workload, result)];
}

function databaseSentence(workload: Workload, result: Estimate): string {
  const { rates, storage, primaries } = result;
  const writes = `${formatNumber(rates.peakWriteRps * Math.max(1, rates.grown), "perSecond", 3)} writes at the peak`;
  const rows = `${formatNumber(storage.rowsKept, "bytes", 3)} of rows after ${yearsText(workload.years)}`;
  const limits = `${formatNumber(ONE_PRIMARY.writeRps, "perSecond")} and ${formatNumber(ONE_PRIMARY.bytes, "bytes")}`;
  if (primaries === 1)
    return `${enough(workload, result)} are enough (${writes} and ${rows}, below the ${limits} that one primary carries): do not shard.`;
  return `One primary does not carry ${writes} and ${rows} (its limits: ${limits})${fullAfter(result)}. After indexes, a cache, a bigger machine and replicas, plan for ${primaries} shards.`;
}

/** What it takes when one primary does. */
function enough({ copies }: Workload, { rates, bandwidth, cacheBytes, servers }: Estimate): string {
  const replicas = copies - 1;
  const caches = cacheBytes > 0 && rates.peakReadRps >= CACHE_READS * rates.peakWriteRps;
  return joined([
    `One primary${replicas > 0 ? ` with ${counted(replicas, "replica")}` : ""}`,
    ...(caches ? [`a cache of ${formatNumber(cacheBytes, "bytes", 2)}`] : []),
    ...(bandwidth.cdnPerDay > 0 ? ["a CDN"] : []),
    counted(servers.withSpare, "app server"),
  ]);
}

/** How soon the first machine is full, where that is within the year for which the rate holds. */
function fullAfter({ storage: { rowsPerDay } }: Estimate): string {
  const days = Math.floor(ONE_PRIMARY.bytes / rowsPerDay);
  return days < YEAR_DAYS ? `; it is full after ${counted(days, "day")}` : "";
}

function cdnSentences({ cdnShare }: Workload, { bandwidth }: Estimate): string[] {
  const { answersBps, filesBps, peakBps } = bandwidth;
  if (peakBps <= ONE_CARD_BPS) return [];
  const [most, bps] = filesBps > answersBps ? ["files", filesBps] : ["answers", answersBps];
  const facts = `${formatNumber(bps, "bitsPerSecond", 3)} of ${most} on average, ${formatNumber(peakBps, "bitsPerSecond", 3)} of all at the peak, where one machine sends ${formatNumber(ONE_CARD_BPS, "bitsPerSecond")}`;
  return [
    cdnShare > 0 || bandwidth.cdnPerDay > 0
      ? `${facts}: a CDN is not optional.`
      : `${facts}: put a CDN in front of what many people get alike (cdnShare says how much that is).`,
  ];
}
