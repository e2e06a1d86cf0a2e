/**
 * Where a server's log ends: reads write-ahead log records as recovery does, until one is not whole.
 *
 * A server that crashed does not say how far it came, and its last segment is full of what an older segment left there. Each
 * record is guarded by a checksum and names the one before, so the end is where that chain breaks. This tells how many bytes
 * and commits a replica lacks, exactly, before anybody promotes it.
 *
 * Source: src/include/access/xlogrecord.h, xlog_internal.h and xlogreader.c of PostgreSQL 15 to 18; little-endian machines.
 */
import { crc32c } from "../base/index.ts";
import type { Lsn } from "../pgwire/index.ts";
import { SEGMENT_BYTES } from "./wal-file.ts";

/** Bytes of a page of the log: a build option of Postgres that no distribution changes. */
export const WAL_PAGE_BYTES = 8192;

const PAGE = BigInt(WAL_PAGE_BYTES);
const SHORT_HEADER = 24;
/** The first page of a segment says more. */
const LONG_HEADER = 40;
const RECORD_HEADER = 24;
/** The checksum covers the header up to itself. */
const CRC_AT = 20;
/** XLogRecordMaxSize: no record is longer. */
const RECORD_BYTES_MAX = 1020 * 1024 * 1024;

const IS_CONTINUATION = 0x01;
/** The record that began before was never finished; what follows stands in its place. */
const IS_OVERWRITTEN = 0x08;

const RESOURCE_XLOG = 0;
const RESOURCE_TRANSACTION = 1;
/** Of RESOURCE_XLOG, in the high four bits: the rest of the segment is empty. */
const SWITCH = 0x40;
/** Of RESOURCE_TRANSACTION, in bits 4 to 6. */
const COMMITS: readonly number[] = [0x00, 0x30];

/** Gives the page that begins at `lsn`; undefined when there is no file of it. */
export type ReadPage = (lsn: Lsn) => Uint8Array | undefined;

/** What is in a log from some position on. */
export interface WalScan {
  /** End of the last whole record; where the scan began when there is none. */
  readonly end: Lsn;
  /** Counted records and, among them, commits. */
  readonly records: number;
  readonly commits: number;
}

/**
 * Reads records from `from`, which must be the end of a record or the beginning of one: what a replica has replayed is,
 * what it has received need not be. Counts those that end after `countFrom`. O(bytes).
 */
export function scanWal(readPage: ReadPage, from: Lsn, timeline: number, countFrom: Lsn = from): WalScan {
  const log = new LogPages(readPage, timeline);
  let [end, previous, records, commits] = [from, undefined as Lsn | undefined, 0, 0];
  for (let at = pastHeader(from); ; ) {
    const found = log.record(at, previous);
    if (found.kind === "end") return { end, records, commits };
    at = pastHeader(found.end);
    if (found.kind === "overwritten") continue;
    previous = found.at;
    end = found.end;
    if (end <= countFrom) continue;
    records += 1;
    commits += found.isCommit ? 1 : 0;
  }
}

/** Where the first record begins of a log that is there from a segment's beginning; undefined when none does. */
export function firstRecord(readPage: ReadPage, from: Lsn, timeline: number): Lsn | undefined {
  return new LogPages(readPage, timeline).firstRecord(from);
}

/** A record never begins in a page's header. */
function pastHeader(at: Lsn): Lsn {
  return at % PAGE === 0n ? at + BigInt(headerBytes(at)) : at;
}

function headerBytes(page: Lsn): number {
  return page % BigInt(SEGMENT_BYTES) === 0n ? LONG_HEADER : SHORT_HEADER;
}

function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}

type Found =
  | { readonly kind: "record"; readonly at: Lsn; readonly end: Lsn; readonly isCommit: boolean }
  | { readonly kind: "overwritten"; readonly end: Lsn }
  | { readonly kind: "end" };

const END: Found = { kind: "end" };

interface Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly flags: number;
  /** Bytes that are left of the record that began on an earlier page. */
  readonly rest: number;
}

/** The pages of a log, checked. */
class LogPages {
  readonly #readPage: ReadPage;
  readonly #timeline: number;
  #magic: number | undefined;

  constructor(readPage: ReadPage, timeline: number) {
    this.#readPage = readPage;
    this.#timeline = timeline;
  }

  /** Passes over the rest of a record that began before `start`, a page's beginning. */
  firstRecord(start: Lsn): Lsn | undefined {
    for (let at = start; ; at += PAGE) {
      const page = this.#page(at);
      if (page === undefined) return undefined;
      const header = headerBytes(at);
      const rest = (page.flags & IS_CONTINUATION) === 0 ? 0 : aligned(page.rest);
      if (header + rest < WAL_PAGE_BYTES) return at + BigInt(header + rest);
    }
  }

  /** The record that begins at `at`, when it is whole and comes after `previous`. */
  record(at: Lsn, previous: Lsn | undefined): Found {
    let start = at - (at % PAGE);
    const first = this.#page(start);
    if (first === undefined) return END;
    const offset = Number(at % PAGE);
    const length = first.view.getUint32(offset, true);
    if (length < RECORD_HEADER || length > RECORD_BYTES_MAX) return END;
    const head = first.bytes.subarray(offset, offset + length);
    const pieces = [head];
    let missing = length - head.length;
    let end = at + BigInt(aligned(length));
    while (missing > 0) {
      start += PAGE;
      const page = this.#page(start);
      if (page === undefined) return END;
      if ((page.flags & IS_OVERWRITTEN) !== 0) return { kind: "overwritten", end: start };
      if ((page.flags & IS_CONTINUATION) === 0 || page.rest !== missing) return END;
      const from = headerBytes(start);
      const piece = page.bytes.subarray(from, from + missing);
      pieces.push(piece);
      end = start + BigInt(from + aligned(piece.length));
      missing -= piece.length;
    }
    return check(pieces.length === 1 ? head : Buffer.concat(pieces), at, end, previous);
  }

  /** A page that is what its place says: others are left over from an earlier use of the file. */
  #page(start: Lsn): Page | undefined {
    const bytes = this.#readPage(start);
    if (bytes === undefined || bytes.length < WAL_PAGE_BYTES) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const magic = view.getUint16(0, true);
    this.#magic ??= magic;
    if (magic !== this.#magic || view.getBigUint64(8, true) !== start) return undefined;
    if (view.getUint32(4, true) > this.#timeline) return undefined;
    return { bytes, view, flags: view.getUint16(2, true), rest: view.getUint32(16, true) };
  }
}

function check(record: Uint8Array, at: Lsn, end: Lsn, previous: Lsn | undefined): Found {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  if (previous !== undefined && view.getBigUint64(8, true) !== previous) return END;
  const sum = crc32c(record, 0, CRC_AT, crc32c(record, RECORD_HEADER));
  if (sum !== view.getUint32(CRC_AT, true)) return END;
  const [info, resource] = [view.getUint8(16), view.getUint8(17)];
  const isSwitch = resource === RESOURCE_XLOG && (info & 0xf0) === SWITCH;
  const isCommit = resource === RESOURCE_TRANSACTION && COMMITS.includes(info & 0x70);
  return { kind: "record", at, end: isSwitch ? nextSegment(end) : end, isCommit };
}

function nextSegment(at: Lsn): Lsn {
  const size = BigInt(SEGMENT_BYTES);
  return ((at + size - 1n) / size) * size;
}
