/**
 * The log of a server that does not run, as files: where it ends, and what it has that another server lacks.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lsn } from "../../../pgwire/index.ts";
import type { TimelinePosition } from "../../timeline.ts";
import { parseSegmentName, segmentName, segmentOf, segmentStart } from "../../wal-file.ts";
import { type ReadPage, scanWal, WAL_PAGE_BYTES, type WalScan } from "../../wal-scan.ts";
import { readControlFile } from "./data-directory.ts";
import { namesIn } from "./owner.ts";

/** Reads what a data directory's log has from `from` on, on its newest timeline or on `wanted`; see `scanWal`. */
export async function scanDirectory(
  data: string,
  from: Lsn,
  countFrom: Lsn = from,
  wanted?: number,
): Promise<WalScan & TimelinePosition> {
  const timeline = wanted ?? (await newestTimeline(data));
  const reader = pagesOf(join(data, "pg_wal"), timeline);
  try {
    const scan = scanWal(reader.readPage, from, timeline, countFrom);
    return { ...scan, timeline, lsn: scan.end };
  } finally {
    reader.close();
  }
}

/** How far a stopped server has come: the end of its log, from its last checkpoint on. */
export async function endOfLog(data: string): Promise<TimelinePosition> {
  const { redo } = await readControlFile(data);
  const { timeline, lsn } = await scanDirectory(data, redo);
  return { timeline, lsn };
}

/** SHA-256, in hex, of the first bytes of a segment's file; "" when it is not there. */
export async function segmentSum(data: string, name: string, bytes: number): Promise<string> {
  try {
    const file = await readFile(join(data, "pg_wal", name));
    return createHash("sha256").update(file.subarray(0, bytes)).digest("hex");
  } catch {
    return "";
  }
}

/** The newest timeline of a data directory, running or not: its last checkpoint may be older than its last promotion; its files are not. */
export async function newestTimeline(data: string): Promise<number> {
  const { timeline } = await readControlFile(data);
  const names = await namesIn(join(data, "pg_wal"));
  return names.reduce((newest, name) => Math.max(newest, parseSegmentName(name)?.timeline ?? 0), timeline);
}

/** Pages of the log, by the file that the newest timeline has of them, else an older one's; one segment is kept open. */
function pagesOf(
  folder: string,
  timeline: number,
): { readonly readPage: ReadPage; readonly close: () => void } {
  let [open, file] = [undefined as bigint | undefined, -1];
  const close = (): void => {
    if (file >= 0) closeSync(file);
    file = -1;
  };
  const openSegment = (number: bigint): void => {
    close();
    open = number;
    for (let tried = timeline; tried > 0 && file < 0; tried -= 1) {
      const path = join(folder, segmentName({ timeline: tried, number }));
      file = tryOpen(path);
      if (file < 0) file = tryOpen(`${path}.partial`); // a promotion renames it where there is an archive
    }
  };
  const readPage: ReadPage = (lsn) => {
    const number = segmentOf(lsn);
    if (number !== open) openSegment(number);
    if (file < 0) return undefined;
    const page = Buffer.allocUnsafe(WAL_PAGE_BYTES);
    const read = readSync(file, page, 0, WAL_PAGE_BYTES, Number(lsn - segmentStart(number)));
    return page.subarray(0, read);
  };
  return { readPage, close };
}

function tryOpen(path: string): number {
  try {
    return openSync(path, "r");
  } catch {
    return -1;
  }
}
