/**
 * Names of write-ahead log files: 8 hex digits each of timeline, log and segment, "000000010000000000000003"; with
 * ".partial" the last one of a left timeline; "00000002.history" for where a timeline began.
 *
 * Source: src/include/access/xlog_internal.h of PostgreSQL.
 */
import type { Lsn } from "../pgwire/index.ts";

/** Bytes of a segment; what initdb makes unless told otherwise, and we do not tell it. */
export const SEGMENT_BYTES: number = 16 * 1024 * 1024;

/** Segments in one "log", the middle part of the name. */
const SEGMENTS_PER_LOG = 0x1_0000_0000n / BigInt(SEGMENT_BYTES);

const SEGMENT_NAME = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;

/** One segment. */
export interface WalSegment {
  readonly timeline: number;
  /** Which one since the cluster was made. */
  readonly number: bigint;
}

/** The segment of a file's name; undefined for anything else that lies in the folder. */
export function parseSegmentName(name: string): WalSegment | undefined {
  const [, timeline, log, segment] = SEGMENT_NAME.exec(name) ?? [];
  if (timeline === undefined || log === undefined || segment === undefined) return undefined;
  const number = BigInt(`0x${log}`) * SEGMENTS_PER_LOG + BigInt(`0x${segment}`);
  return { timeline: Number.parseInt(timeline, 16), number };
}

/** The name of the file of a segment. */
export function segmentName({ timeline, number }: WalSegment): string {
  return [BigInt(timeline), number / SEGMENTS_PER_LOG, number % SEGMENTS_PER_LOG]
    .map((part) => part.toString(16).toUpperCase().padStart(8, "0"))
    .join("");
}

/** The number of the segment that holds the byte at `lsn`. */
export function segmentOf(lsn: Lsn): bigint {
  return lsn / BigInt(SEGMENT_BYTES);
}

/** Where a segment begins. */
export function segmentStart(number: bigint): Lsn {
  return number * BigInt(SEGMENT_BYTES);
}

/** The name of the file that says where a timeline began. */
export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
}
