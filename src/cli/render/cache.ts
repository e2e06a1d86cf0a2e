/** The cache as lines: one for `tenfold status` and `tenfold top`, and a page of `top`. */
import type { CacheStatus } from "../../app/index.ts";
import { formatBytes } from "../../base/index.ts";
import type { Style } from "../style.ts";
import {
  diskMissWords,
  diskRefusalWords,
  evictionWords,
  notKeptWords,
  reasonWords,
  resultWords,
} from "./cache-words.ts";
import { count, NONE, percent, plural } from "./figures.ts";
import { type Cell, type Column, table } from "./table.ts";

/** "95% of requests answered from it in the last minute, 3.1k responses, 45MiB of 120MiB". */
export function cacheLine({
  hitRatio,
  hitRatioInAll,
  entries,
  liveBytes,
  capacityBytes,
  disk,
}: CacheStatus): string {
  const late = hitRatio === null ? "no requests" : `${percent(hitRatio)} of requests answered from it`;
  const inAll = hitRatioInAll === null ? "" : `, ${percent(hitRatioInAll)} in all`;
  const onDisk = disk === null ? "" : `, ${held(disk.objects, disk.usedBytes, disk.capacityBytes)} on disk`;
  return `${late} in the last minute${inAll}; ${held(entries, liveBytes, capacityBytes)}${onDisk}`;
}

function held(entries: number, liveBytes: number, capacityBytes: number): string {
  const responses = entries < 1000 ? plural(entries, "response") : `${count(entries)} responses`;
  return `${responses}, ${formatBytes(liveBytes)} of ${formatBytes(capacityBytes)}`;
}

/** Requests per second over all results. */
export function cacheRps({ requests }: CacheStatus): number {
  return requests.reduce((sum, { rps }) => sum + rps, 0);
}

const REQUEST_COLUMNS: readonly Column[] = [
  { title: "REQUESTS" },
  { title: "/S", align: "right" },
  { title: "TOTAL", align: "right" },
  { title: "REASON" },
  { title: "MEANING" },
];

const REASON_COLUMNS: readonly Column[] = [
  { title: "" },
  { title: "TOTAL", align: "right" },
  { title: "MEANING" },
];

/** How requests were answered, why responses were not kept, why they left. */
export function cachePage(cache: CacheStatus, style: Style, width: number): string[] {
  const { servedBytes, fetchedBytes, stored, purged } = cache;
  const purges = Object.values(purged).reduce((sum, times) => sum + times, 0);
  return [
    `${style.bold("cache")}  ${cacheLine(cache)}`,
    `       ${formatBytes(servedBytes)} that the app did not have to send, beside ${formatBytes(fetchedBytes)} that it sent`,
    `       ${count(stored)} responses kept so far, ${plural(purges, "purge")}`,
    "",
    ...requestsTable(cache, style, width),
    ...reasonsTable("NOT KEPT", cache.refused, notKeptWords, style, width),
    ...reasonsTable("LEFT", cache.evicted, evictionWords, style, width),
    ...diskLines(cache.disk, style, width),
  ];
}

function diskLines(disk: CacheStatus["disk"], style: Style, width: number): string[] {
  if (disk === null) return [];
  const { found, written, writtenBytes, lost, off } = disk;
  const state = off === null ? "" : `; ${style.bad(`nothing is written: ${off}`)}`;
  const lostOnes = lost === 0 ? "" : `, ${count(lost)} lost`;
  return [
    "",
    `${style.bold("disk")}   ${count(found)} found there, ${count(written)} written (${formatBytes(writtenBytes)})${lostOnes}${state}`,
    ...reasonsTable("NOT FOUND", disk.missed, diskMissWords, style, width),
    ...reasonsTable("NOT WRITTEN", disk.refused, diskRefusalWords, style, width),
  ];
}

function requestsTable({ requests }: CacheStatus, style: Style, width: number): string[] {
  if (requests.length === 0) return [style.dim("no requests yet")];
  const rows = requests.map(({ result, reason, count: times, rps }): Cell[] => [
    { text: result, paint: style.name },
    rps === 0 ? NONE : count(rps),
    count(times),
    reason,
    { text: `Answered ${resultWords(result)}. ${reasonWords(reason)}`, paint: style.dim },
  ]);
  return table(REQUEST_COLUMNS, rows, width, style.dim);
}

// oxlint-disable-next-line max-params -- a title, its rows and their words, and the screen
function reasonsTable(
  title: string,
  counts: Readonly<Record<string, number>>,
  wordsOf: (reason: string) => string,
  style: Style,
  width: number,
): string[] {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  if (sorted.length === 0) return [];
  const rows = sorted.map(([reason, times]): Cell[] => [
    { text: reason, paint: style.warn },
    count(times),
    { text: wordsOf(reason), paint: style.dim },
  ]);
  const columns = REASON_COLUMNS.map((column, index) => (index === 0 ? { ...column, title } : column));
  return ["", ...table(columns, rows, width, style.dim)];
}
