/**
 * Query parameters ("?a=1&b=2"), found by bytes. Names are compared as written: "%61" is not "a".
 */
import { AMPERSAND, asBytes, EQUALS, equals, type Slice, text } from "./bytes.ts";

/**
 * Finds the first parameter with this name in the query `bytes[start..end)` and fills in `slice` with its value as
 * sent, still encoded; a parameter without "=" has an empty one. False when it is not there. Allocates nothing.
 */
export function locateQuery(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
  slice: Slice,
): boolean {
  for (let at = start; at < end; at = slice.end + 1) {
    let equal = at;
    while (equal < end && bytes[equal] !== EQUALS && bytes[equal] !== AMPERSAND) equal++;
    slice.start = equal < end && bytes[equal] === EQUALS ? equal + 1 : equal;
    slice.end = slice.start;
    while (slice.end < end && bytes[slice.end] !== AMPERSAND) slice.end++;
    if (equals(bytes, at, equal, name)) return true;
  }
  return false;
}

/** The value of the first parameter with this name as Latin-1, still encoded, or undefined. */
export function findQuery(bytes: Uint8Array, start: number, end: number, name: string): string | undefined {
  const slice = { start: 0, end: 0 };
  return locateQuery(bytes, start, end, asBytes(name), slice)
    ? text(bytes, slice.start, slice.end)
    : undefined;
}
