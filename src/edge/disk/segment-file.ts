/** The first unit of a segment's file: which tier it belongs to, which slot, and which life of it. */
import { checksum } from "./checksum.ts";
import type { DiskSecret } from "./layout.ts";

/** "TNFS", and the version of records. */
const MAGIC = 0x544e_4653;
const VERSION = 1;

/** Bytes of the header. */
export const SEGMENT_HEADER_BYTES = 64;
const WORD = {
  magic: 0,
  check: 1,
  version: 2,
  secretA: 3,
  secretB: 4,
  slot: 5,
  serial: 6,
  bytes: 7,
} as const;

/** What a segment's file says of itself. */
export interface SegmentName extends DiskSecret {
  readonly slot: number;
  readonly serial: number;
  readonly segmentBytes: number;
}

/** The header of a new segment. */
export function segmentHeader(name: SegmentName): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const words = new Int32Array(bytes.buffer);
  words[WORD.magic] = MAGIC;
  words[WORD.version] = VERSION;
  words[WORD.secretA] = name.secretA;
  words[WORD.secretB] = name.secretB;
  words[WORD.slot] = name.slot;
  words[WORD.serial] = name.serial;
  words[WORD.bytes] = name.segmentBytes;
  words[WORD.check] = checksum(bytes, 8, SEGMENT_HEADER_BYTES);
  return bytes;
}

/**
 * The serial of the segment whose first bytes these are; 0 when it is not of this tier, of another slot, or broken.
 * `bytes` start a buffer.
 */
export function serialOf(bytes: Uint8Array, expected: Omit<SegmentName, "serial">): number {
  if (bytes.length < SEGMENT_HEADER_BYTES) return 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES / 4);
  const isOurs =
    words[WORD.magic] === MAGIC &&
    words[WORD.version] === VERSION &&
    words[WORD.secretA] === (expected.secretA | 0) &&
    words[WORD.secretB] === (expected.secretB | 0) &&
    words[WORD.slot] === expected.slot &&
    words[WORD.bytes] === expected.segmentBytes &&
    words[WORD.check] === checksum(bytes, 8, SEGMENT_HEADER_BYTES);
  return isOurs ? (words[WORD.serial] ?? 0) : 0;
}
