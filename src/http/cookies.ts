/**
 * Cookies of a request (RFC 6265 §4.2), found by bytes: `name=value` pairs with ";" between them.
 */
import { asBytes, EQUALS, equals, isBlank, QUOTE, SEMICOLON, type Slice, text } from "./bytes.ts";

/**
 * Finds the first cookie with this name in the value of one Cookie field, `bytes[start..end)`, and fills in `slice`
 * with its value, without double quotes around it. False when it is not there. Allocates nothing.
 */
export function locateCookie(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
  slice: Slice,
): boolean {
  for (let at = start; at < end; at = slice.end + 1) {
    while (at < end && isBlank(bytes[at])) at++;
    let equal = at;
    while (equal < end && bytes[equal] !== EQUALS && bytes[equal] !== SEMICOLON) equal++;
    slice.start = equal + 1;
    slice.end = equal;
    while (slice.end < end && bytes[slice.end] !== SEMICOLON) slice.end++;
    if (bytes[equal] === EQUALS && equal < end && equals(bytes, at, equal, name)) return trim(bytes, slice);
  }
  return false;
}

/** The value of the first cookie with this name as Latin-1, or undefined. */
export function findCookie(bytes: Uint8Array, start: number, end: number, name: string): string | undefined {
  const slice = { start: 0, end: 0 };
  return locateCookie(bytes, start, end, asBytes(name), slice)
    ? text(bytes, slice.start, slice.end)
    : undefined;
}

function trim(bytes: Uint8Array, slice: Slice): true {
  while (slice.end > slice.start && isBlank(bytes[slice.end - 1])) slice.end--;
  const isQuoted =
    slice.end - slice.start > 1 && bytes[slice.start] === QUOTE && bytes[slice.end - 1] === QUOTE;
  if (isQuoted) {
    slice.start++;
    slice.end--;
  }
  return true;
}
