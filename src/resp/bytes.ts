/**
 * Bytes of the protocol: its marks, text as Latin-1 (one character a byte, so that nothing is lost), and whole numbers.
 */

/** Line ends are CR LF. */
export const CR = 13;
export const LF = 10;

/** The first byte of each kind of value (RESP3 specification). */
export const MARK = {
  simple: 43, // +
  error: 45, // -
  integer: 58, // :
  bulk: 36, // $
  array: 42, // *
  null: 95, // _
  boolean: 35, // #
  double: 44, // ,
  big: 40, // (
  bulkError: 33, // !
  verbatim: 61, // =
  map: 37, // %
  set: 126, // ~
  attribute: 124, // |
  push: 62, // >
} as const;

/** Up to here a loop over characters beats the call of a decoder. */
const SHORT = 24;

/** `bytes[start, end)` as text, one character a byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = "";
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
    return text;
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** Writes `text`, one byte a character, at `at`; returns where it ends. The room must be there. */
export function putLatin1(text: string, into: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** The bytes of a text, one a character. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  putLatin1(text, bytes, 0);
  return bytes;
}

/** Most digits of a whole number that a double holds without loss, whatever they are. */
const DIGITS_SAFE = 15;

/**
 * The whole number in `bytes[start, end)`: digits with an optional minus, nothing else. NaN when it is none, or has more than
 * 15 digits (`latin1` and BigInt then).
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 45;
  const from = negative ? start + 1 : start;
  if (from >= end || end - from > DIGITS_SAFE) return Number.NaN;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Writes a whole number in decimal digits; returns where it ends. 17 bytes of room are enough. */
export function putInteger(value: number, into: Uint8Array, at: number): number {
  if (value < 0) {
    into[at] = 45;
    return putInteger(-value, into, at + 1);
  }
  const end = at + digitsOf(value);
  let rest = value;
  let to = end;
  while (rest >= 0x7fff_ffff) {
    const tens = Math.floor(rest / 10);
    into[--to] = 48 + (rest - tens * 10);
    rest = tens;
  }
  let small = rest | 0;
  do {
    const tens = (small / 10) | 0;
    into[--to] = 48 + (small - tens * 10);
    small = tens;
  } while (to > at);
  return end;
}

/** How many digits a whole number from 0 up has. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
