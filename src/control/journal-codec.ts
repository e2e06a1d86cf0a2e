/**
 * The journal's format: records one after the other, each
 *
 *   length of payload (uint32 LE) | crc32c of payload (uint32 LE) | payload, JSON in UTF-8
 *
 * A crash can leave the last record half written, and a power cut can leave zeros or rubbish there; both are found
 * by length and checksum. Whatever follows the first bad record is dropped, because order is what a journal means.
 */
import { crc32c } from "../base/index.ts";

/** One write: a value, a deletion (no value), or the mark that opens a compacted journal (no key). */
export interface JournalRecord {
  readonly revision: number;
  readonly key?: string;
  readonly value?: string;
}

/** How the end of a journal reads. */
export type JournalTail =
  | { readonly kind: "whole" }
  /** The last record is incomplete: what a crash in the middle of a write leaves. */
  | { readonly kind: "torn"; readonly lostBytes: number }
  /** A record's checksum or shape is wrong: a power cut, a full disk, or a hand in the file. */
  | { readonly kind: "corrupt"; readonly lostBytes: number };

/** What a journal file holds, as far as it can be trusted. */
export interface DecodedJournal {
  readonly records: readonly JournalRecord[];
  /** Where the last good record ends. */
  readonly goodBytes: number;
  readonly tail: JournalTail;
}

const HEADER_BYTES = 8;

/** Largest payload, 16 MiB: far above any record of the controller, far below what a damaged length can claim. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** The bytes of one record. Throws a RangeError when it is larger than any reader takes. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(record));
  if (payload.length > RECORD_BYTES_MAX) {
    throw new RangeError(
      `record of ${payload.length} bytes for ${record.key}: the bound is ${RECORD_BYTES_MAX}`,
    );
  }
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, crc32c(payload), true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Reads all good records from the start. Never throws. O(bytes). */
export function decodeJournal(bytes: Uint8Array): DecodedJournal {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    const next = decodeOne(bytes, at);
    if (typeof next === "string") {
      return { records, goodBytes: at, tail: { kind: next, lostBytes: bytes.length - at } };
    }
    records.push(next.record);
    at = next.end;
  }
  return { records, goodBytes: at, tail: { kind: "whole" } };
}

function decodeOne(
  bytes: Uint8Array,
  at: number,
): { record: JournalRecord; end: number } | "torn" | "corrupt" {
  if (bytes.length - at < HEADER_BYTES) return "torn";
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  const length = view.getUint32(0, true);
  if (length === 0 || length > RECORD_BYTES_MAX) return "corrupt";
  const end = at + HEADER_BYTES + length;
  if (end > bytes.length) return "torn";
  const payload = bytes.subarray(at + HEADER_BYTES, end);
  if (crc32c(payload) !== view.getUint32(4, true)) return "corrupt";
  const record = parseRecord(payload);
  return record === undefined ? "corrupt" : { record, end };
}

function parseRecord(payload: Uint8Array): JournalRecord | undefined {
  try {
    const record: unknown = JSON.parse(new TextDecoder().decode(payload));
    return isRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is JournalRecord {
  return (
    typeof value === "object" && value !== null && "revision" in value && Number.isInteger(value.revision)
  );
}
