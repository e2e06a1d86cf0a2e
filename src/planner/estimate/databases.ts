/** How many machines a database takes: those that writes and rows are divided over, and copies that answer reads. */
import { MACHINE_BYTES, PRIMARY_WRITES_RPS, SERVER_READS_RPS } from "../database-server.ts";
import type { Rates } from "./rates.ts";
import type { Storage } from "./storage.ts";
import type { Workload } from "./workload.ts";

/** From so many reads for each write on, a cache takes load off the database; below, it is mostly invalidated. */
const CACHE_READS = 10;

/** Reads that the hot part answers: the other side of the 80/20 rule. */
export const CACHE_HITS = 0.8;

/** The machines. */
export interface Databases {
  /** Whether a cache stands in front. */
  readonly cached: boolean;
  /** Reads at the peak that no CDN and no cache answers; those of the last year. */
  readonly readRps: number;
  /** Writes at the peak of the last year. */
  readonly writeRps: number;
  /** 1 needs no shards. */
  readonly primaries: number;
  /** Of each primary: for copies, and for reads. */
  readonly replicas: number;
}

/** The machines of a workload at the end of its years. */
export function databasesOf(
  { peakReadRps, originReadRps, peakWriteRps, grown }: Rates,
  { rowsKept }: Storage,
  { copies, hotShare }: Pick<Workload, "copies" | "hotShare">,
): Databases {
  const cached = hotShare > 0 && rowsKept > 0 && peakReadRps >= CACHE_READS * peakWriteRps;
  const most = Math.max(1, grown);
  const readRps = originReadRps * (cached ? 1 - CACHE_HITS : 1) * most;
  const writeRps = peakWriteRps * most;
  const primaries = Math.max(
    1,
    Math.ceil(writeRps / PRIMARY_WRITES_RPS),
    Math.ceil(rowsKept / MACHINE_BYTES),
  );
  const readers = Math.ceil(readRps / primaries / SERVER_READS_RPS);
  return { cached, readRps, writeRps, primaries, replicas: Math.max(copies, readers) - 1 };
}
