/** What the numbers say about how to build it, each sentence with the numbers that carry it. */
import { MACHINE_BYTES, PRIMARY_WRITES_RPS } from "../database-server.ts";
import { formatNumber } from "../report/unit.ts";
import type { Estimate } from "./estimate.ts";
import { YEAR_DAYS } from "./spans.ts";
import { counted, grouped, joined, yearsText } from "./text.ts";
import type { Workload } from "./workload.ts";

/** What the network card of one machine sends: above it, somebody else has to. */
const ONE_CARD_BPS = 10e9;

/** The sentences. */
export function verdictOf(workload: Workload, result: Estimate): string[] {
  return [
    databaseSentence(workload, result),
    ...copySentences(workload, result),
    ...cdnSentences(workload, result),
  ];
}

function databaseSentence({ years }: Workload, result: Estimate): string {
  const { storage, databases } = result;
  const facts = `${formatNumber(databases.writeRps, "perSecond", 3)} writes at the peak and ${formatNumber(storage.rowsKept, "bytes", 3)} of rows after ${yearsText(years)}`;
  const limits = `${formatNumber(PRIMARY_WRITES_RPS, "perSecond")} and ${formatNumber(MACHINE_BYTES, "bytes")}`;
  if (databases.primaries === 1)
    return `${enough(result)} are enough (${facts}, below the ${limits} that one primary carries): do not shard.`;
  return `One primary does not carry ${facts} (its limits: ${limits})${fullAfter(result)}. After indexes, a cache, a bigger machine and replicas, plan for ${grouped(databases.primaries)} shards.`;
}

/** What it takes when one primary does. */
function enough({ bandwidth, cacheBytes, servers, databases: { cached, replicas } }: Estimate): string {
  return joined([
    `One primary${replicas > 0 ? ` with ${counted(replicas, "replica")}` : ""}`,
    ...(cached ? [`a cache of ${formatNumber(cacheBytes, "bytes", 2)}`] : []),
    ...(bandwidth.cdnPerDay > 0 ? ["a CDN"] : []),
    counted(servers.withSpare, "app server"),
  ]);
}

/** How soon the first machine is full, where that is within the year for which the rate holds. */
function fullAfter({ storage: { rowsPerDay } }: Estimate): string {
  const days = Math.floor(MACHINE_BYTES / rowsPerDay);
  return days < YEAR_DAYS ? `; it is full after ${counted(days, "day")}` : "";
}

function copySentences({ copies }: Workload, { storage }: Estimate): string[] {
  return copies === 1 && storage.keptCopied > 0
    ? ["One copy is gone with its disk: keep two, or back it up."]
    : [];
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
