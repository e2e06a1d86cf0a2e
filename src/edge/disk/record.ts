/**
 * One object on disk: a frame, then the record as it lies in the memory store, so that whoever reads one reads both.
 *
 *   frame: magic, checksum of all up to the body, secret, serial, unit, lengths, order, a checksum for each 64 KiB of body
 *   record (edge/store/record.ts): header with the caller's words, tags, key, vary key, head, body
 *
 * Frame and record start at a unit. A record counts only where its frame says it was written, in the life of the
 * segment that it was written in. The body is checked in chunks, so that a part of a large one is believed without
 * the rest.
 */
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import {
  headAt,
  KEY_BYTES_MAX,
  RECORD,
  type RecordMemory,
  type RecordShape,
  recordUnits,
  TAGS_MAX,
  VARY_BYTES_MAX,
} from "../store/record.ts";
import { checksum } from "./checksum.ts";
import type { DiskSecret } from "./layout.ts";

/** "TNFR". */
const MAGIC = 0x544e_4652;

/** Words of a frame before the checksums of the body. */
export const FRAME = {
  magic: 0,
  check: 1,
  secretA: 2,
  secretB: 3,
  serial: 4,
  unit: 5,
  /** Units of frame and record. */
  units: 6,
  /** Bytes from the start of the frame to the body. */
  bodyAt: 7,
  bodyBytes: 8,
  /** Grows with each object that the tier writes: of two with the same key, the greater is the later. */
  order: 9,
  chunks: 10,
} as const;

/** Bytes of body that have a checksum of their own. */
export const CHUNK_BYTES = 65_536;
/** Bytes that all before the body may take: keys, tags and a head of 64 KiB fit. */
export const BODY_AT_MAX: number = 256 << 10;

const WORDS_MIN = RECORD.meta + 16;

/** Units that the frame of an object with this body takes. */
export function frameUnits(bodyBytes: number): number {
  return Math.ceil((FRAME.chunks + Math.ceil(bodyBytes / CHUNK_BYTES)) / UNIT_WORDS);
}

/** Units that an object of this shape takes on disk. */
export function diskUnits(shape: RecordShape): number {
  return frameUnits(shape.bodyBytes) + recordUnits(shape);
}

/** Where a record is written. */
export interface RecordPlace extends DiskSecret {
  readonly serial: number;
  readonly unit: number;
}

/**
 * Fills in the frame before the record at unit `frameUnits` of `memory`, whose frame is at `from` (a unit). All else
 * stands there already. O(bytes).
 */
export function sealRecord(
  { words, bytes }: RecordMemory,
  from: number,
  place: RecordPlace,
  order: number,
): void {
  const at = from * UNIT_WORDS;
  const start = from * UNIT_BYTES;
  const bodyAt = words[at + FRAME.bodyAt] ?? 0;
  const bodyBytes = words[at + FRAME.bodyBytes] ?? 0;
  words[at + FRAME.magic] = MAGIC;
  words[at + FRAME.secretA] = place.secretA;
  words[at + FRAME.secretB] = place.secretB;
  words[at + FRAME.serial] = place.serial;
  words[at + FRAME.unit] = place.unit;
  words[at + FRAME.order] = order;
  const body = start + bodyAt;
  for (let chunk = 0; chunk * CHUNK_BYTES < bodyBytes; chunk++) {
    const begin = body + chunk * CHUNK_BYTES;
    const end = Math.min(begin + CHUNK_BYTES, body + bodyBytes);
    words[at + FRAME.chunks + chunk] = checksum(bytes, begin, end);
  }
  words[at + FRAME.check] = checksum(bytes, start + 8, body);
}

/** Writes the lengths into the frame at unit `from`, in front of a record that is complete but for its frame. */
export function frameRecord({ words }: RecordMemory, from: number, bodyBytes: number): void {
  const at = from * UNIT_WORDS;
  const record = from + frameUnits(bodyBytes);
  const bodyAt =
    headAt(words, record * UNIT_WORDS) * 4 + (words[record * UNIT_WORDS + RECORD.headBytes] ?? 0);
  words[at + FRAME.bodyAt] = bodyAt - from * UNIT_BYTES;
  words[at + FRAME.bodyBytes] = bodyBytes;
  words[at + FRAME.units] = Math.ceil((bodyAt + bodyBytes - from * UNIT_BYTES) / UNIT_BYTES);
}

/** What is at a place: the head of a record that can be believed, or why there is none. */
export type Checked = "ok" | "torn" | "corrupt";

/**
 * Whether all before the body of the record whose frame is at unit `from` can be believed. `available` are the bytes of
 * `memory` that were read. Every length is proved before it is used. O(bytes before the body).
 */
export function checkHead(
  { words, bytes }: RecordMemory,
  from: number,
  place: RecordPlace,
  available: number,
): Checked {
  const at = from * UNIT_WORDS;
  const start = from * UNIT_BYTES;
  if (start + (FRAME.chunks + WORDS_MIN) * 4 > available) return "torn";
  if (words[at + FRAME.magic] !== MAGIC || !isOfTier(words, at, place)) return "torn";
  if (words[at + FRAME.serial] !== (place.serial | 0) || words[at + FRAME.unit] !== place.unit) return "torn";
  const bodyAt = words[at + FRAME.bodyAt] ?? 0;
  const bodyBytes = words[at + FRAME.bodyBytes] ?? 0;
  if (bodyAt < 0 || bodyAt > BODY_AT_MAX || bodyBytes < 0) return "corrupt";
  if (start + bodyAt > available) return "torn";
  if (bodyAt < (FRAME.chunks + WORDS_MIN) * 4) return "corrupt";
  if (words[at + FRAME.check] !== checksum(bytes, start + 8, start + bodyAt)) return "corrupt";
  return areLengthsRight(words, from, bodyAt, bodyBytes) ? "ok" : "corrupt";
}

function isOfTier(words: Int32Array, at: number, { secretA, secretB }: DiskSecret): boolean {
  return words[at + FRAME.secretA] === (secretA | 0) && words[at + FRAME.secretB] === (secretB | 0);
}

/** Whether the record's own lengths say the same as the frame's. */
function areLengthsRight(words: Int32Array, from: number, bodyAt: number, bodyBytes: number): boolean {
  const record = (from + frameUnits(bodyBytes)) * UNIT_WORDS;
  const within = (field: number, most: number): boolean => {
    const value = words[record + field] ?? -1;
    return value >= 0 && value <= most;
  };
  if (!within(RECORD.keyBytes, KEY_BYTES_MAX) || !within(RECORD.varyBytes, VARY_BYTES_MAX)) return false;
  if (!within(RECORD.tagCount, TAGS_MAX) || !within(RECORD.headBytes, BODY_AT_MAX)) return false;
  if (words[record + RECORD.bodyBytes] !== bodyBytes) return false;
  if (!within(RECORD.pathEnd, KEY_BYTES_MAX) || !within(RECORD.urlStart, KEY_BYTES_MAX)) return false;
  const head = headAt(words, record) * 4 + (words[record + RECORD.headBytes] ?? 0);
  const units = Math.ceil((bodyAt + bodyBytes) / UNIT_BYTES);
  return head === from * UNIT_BYTES + bodyAt && words[from * UNIT_WORDS + FRAME.units] === units;
}

/**
 * Whether chunks `[first, last)` of the body can be believed. They lie in `bytes` from `start` on; the frame is at
 * unit `from` of `words`. O(bytes of the chunks).
 */
// oxlint-disable-next-line max-params -- the frame, the chunks, and where they are
export function areChunksRight(
  words: Int32Array,
  from: number,
  first: number,
  last: number,
  bytes: Uint8Array,
  start: number,
): boolean {
  const at = from * UNIT_WORDS;
  const bodyBytes = words[at + FRAME.bodyBytes] ?? 0;
  for (let chunk = first; chunk < last; chunk++) {
    const begin = start + (chunk - first) * CHUNK_BYTES;
    const end = begin + Math.min(CHUNK_BYTES, bodyBytes - chunk * CHUNK_BYTES);
    if (end > bytes.length) return false;
    if (words[at + FRAME.chunks + chunk] !== checksum(bytes, begin, end)) return false;
  }
  return true;
}
