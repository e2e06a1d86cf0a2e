/**
 * The format of log and snapshot: records one after the other, each
 *
 *   length of payload (uint32 LE) | crc32c of payload (uint32 LE) | payload: requests in RESP
 *
 * A record holds what was written together: a whole round of the event loop, a whole transaction. It counts whole or not at
 * all. A crash may leave the last one half written, a power cut rubbish; both are found by length and checksum.
 */
import { crc32c } from "../../base/index.ts";

/** Bytes before a payload. */
export const RECORD_HEAD_BYTES = 8;

/** Largest payload. One request may be as large as a client's: 1 GiB and its frame. */
const PAYLOAD_BYTES_MAX = 1.5 * 1024 ** 3;

/** What stands at a place of a file. */
export type RecordOutcome =
  | { readonly kind: "record"; readonly start: number; readonly end: number }
  /** So many bytes from the place on are needed. */
  | { readonly kind: "more"; readonly bytes: number }
  | { readonly kind: "corrupt" };

/** Reads the head at `at` of `bytes[0, length)` and checks the payload. O(payload). */
export function readRecord(bytes: Uint8Array, at: number, length: number): RecordOutcome {
  if (length - at < RECORD_HEAD_BYTES) return { kind: "more", bytes: RECORD_HEAD_BYTES };
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, RECORD_HEAD_BYTES);
  const payload = view.getUint32(0, true);
  if (payload === 0 || payload > PAYLOAD_BYTES_MAX) return { kind: "corrupt" };
  const start = at + RECORD_HEAD_BYTES;
  const end = start + payload;
  if (end > length) return { kind: "more", bytes: RECORD_HEAD_BYTES + payload };
  return crc32c(bytes, start, end) === view.getUint32(4, true)
    ? { kind: "record", start, end }
    : { kind: "corrupt" };
}

/** Writes the head of the payload `bytes[RECORD_HEAD_BYTES, end)` before it. */
export function sealRecord(bytes: Uint8Array, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEAD_BYTES);
  view.setUint32(0, end - RECORD_HEAD_BYTES, true);
  view.setUint32(4, crc32c(bytes, RECORD_HEAD_BYTES, end), true);
}
