/**
 * One stored object: a fixed header of words, then tag hashes, key, vary key, head and body.
 *
 * Key, vary key and head start at a word, so that keys are compared word by word; the body follows the head without
 * a gap, so that both are sent as one range of bytes. What the policy needs to know about an object beyond what the
 * store itself uses is in `META_WORDS` words that the store does not look at.
 */
import { UNIT_BYTES } from "./layout.ts";

/** Words of the header. */
export const RECORD = {
  /** Units of the whole record, so that a ring can be walked. */
  size: 0,
  state: 1,
  hashHi: 2,
  hashLo: 3,
  /** 0 to 3; written by many at once, and right enough whoever wins. */
  access: 4,
  /** The purge sequence up to which no purge concerns this object. */
  checkedSequence: 5,
  softPurged: 6,
  urlHash: 7,
  keyBytes: 8,
  varyBytes: 9,
  tagCount: 10,
  headBytes: 11,
  bodyBytes: 12,
  urlStart: 13,
  pathEnd: 14,
  /** 1 once it has stayed because it was asked for again. */
  usedAgain: 15,
  status: 16,
  flags: 17,
  storedAtS: 18,
  usableUntilS: 19,
  /** When the first of those was stored that it has replaced. */
  firstStoredAtS: 20,
  /** Clients that were sent this object; a few are lost where workers count at once. */
  hits: 21,
  meta: 24,
} as const;

/** Words that belong to the caller. */
export const META_WORDS = 16;
const RECORD_WORDS: number = RECORD.meta + META_WORDS;
const RECORD_BYTES: number = RECORD_WORDS * 4;

/** What a record is at the moment. */
export const STATE = { pad: 0, filling: 1, live: 2, dead: 3 } as const;

/** Longest key, longest vary key, most tags: what a request line and a header section of 64 KiB can ask for. */
export const KEY_BYTES_MAX = 32_768;
export const VARY_BYTES_MAX = 32_768;
export const TAGS_MAX = 256;

/** The lengths of a record's parts. */
export interface RecordShape {
  readonly keyBytes: number;
  readonly varyBytes: number;
  readonly tagCount: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** Memory with records in it: the store's block, or a buffer that a record of the disk tier was read into. */
export interface RecordMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

const toWord = (bytes: number): number => (bytes + 3) & ~3;

/** Units that a record of this shape takes. */
export function recordUnits(shape: RecordShape): number {
  const keys = RECORD_BYTES + shape.tagCount * 4 + toWord(shape.keyBytes) + toWord(shape.varyBytes);
  return Math.ceil((keys + shape.headBytes + shape.bodyBytes) / UNIT_BYTES);
}

/** First word of the tag hashes of the record at word `at`. */
export function tagsAt(at: number): number {
  return at + RECORD_WORDS;
}

/** First word of the key. */
export function keyAt(words: Int32Array, at: number): number {
  return at + RECORD_WORDS + (words[at + RECORD.tagCount] ?? 0);
}

/** First word of the vary key. */
export function varyAt(words: Int32Array, at: number): number {
  return keyAt(words, at) + (toWord(words[at + RECORD.keyBytes] ?? 0) >> 2);
}

/** First word of the head. */
export function headAt(words: Int32Array, at: number): number {
  return varyAt(words, at) + (toWord(words[at + RECORD.varyBytes] ?? 0) >> 2);
}

/** Whether the bytes at word `at` are `bytes[start, end)`. O(n), without an allocation. */
export function equalBytes(
  words: Int32Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  let word = at;
  let from = start;
  for (; from + 4 <= end; from += 4, word++) {
    const theirs =
      (bytes[from] ?? 0) |
      ((bytes[from + 1] ?? 0) << 8) |
      ((bytes[from + 2] ?? 0) << 16) |
      ((bytes[from + 3] ?? 0) << 24);
    if (words[word] !== theirs) return false;
  }
  for (let shift = 0; from < end; from++, shift += 8) {
    if ((((words[word] ?? 0) >>> shift) & 0xff) !== bytes[from]) return false;
  }
  return true;
}
