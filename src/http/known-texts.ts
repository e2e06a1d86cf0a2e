/**
 * Texts of bytes that come again and again: the values of response fields, mostly. To compare some bytes with those that
 * were seen last costs a tenth of making a string of them.
 */
import { text } from "./bytes.ts";

/** Places; each holds the last text that fell on it. */
const PLACES = 1024;

/** Longer ones are made anew. */
const BYTES_MAX = 96;

/** The bytes of each place, behind their length. */
const bytesAt: Uint8Array = new Uint8Array(PLACES * BYTES_MAX);
const lengthAt: Uint8Array = new Uint8Array(PLACES);
const textAt: string[] = Array.from({ length: PLACES }, () => "");

/** The piece as a Latin-1 string, as `text` gives it. O(length). */
export function knownText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > BYTES_MAX || length === 0) return length === 0 ? "" : text(bytes, start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
  if (lengthAt[place] === length && isAt(place * BYTES_MAX, bytes, start, length))
    return textAt[place] as string;
  const made = text(bytes, start, end);
  lengthAt[place] = length;
  textAt[place] = made;
  for (let i = 0; i < length; i++) bytesAt[place * BYTES_MAX + i] = bytes[start + i] as number;
  return made;
}

function isAt(at: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytesAt[at + i] !== bytes[start + i]) return false;
  return true;
}
