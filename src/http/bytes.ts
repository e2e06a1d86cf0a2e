/**
 * Bytes of HTTP: the character classes of RFC 9110 §5.6 and RFC 9112 as lookup tables, and the few moves that
 * every codec of this part shares.
 *
 * A class is one `Uint8Array(256)`: a check is one load, at a third of a nanosecond per byte
 * (`bench/http1-codec.ts`). Nothing here makes a string but `text`.
 */

/** Single bytes by their names in ASCII or on the keyboard. */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const AMPERSAND = 0x26;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUESTION = 0x3f;
export const AT_SIGN = 0x40;
export const OPENING_BRACKET = 0x5b;
export const CLOSING_BRACKET = 0x5d;
export const UNDERSCORE = 0x5f;
const DEL = 0x7f;

/** A class of bytes: 1 for each byte for which `holds` is true. */
function classOf(holds: (byte: number, char: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte, String.fromCharCode(byte)) ? 1 : 0));
}

/** tchar of RFC 9110 §5.6.2: what field names, options and parameter names are made of. */
export const TOKEN: Uint8Array = classOf((_, char) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char));

/** Methods: tokens without small letters. Methods are case-sensitive and all registered ones are capitals. */
export const METHOD_CHAR: Uint8Array = classOf((byte, char) => TOKEN[byte] === 1 && !/[a-z]/.test(char));

/** Field values (RFC 9110 §5.5): visible characters, space, tab and obs-text. No control character, no NUL. */
export const VALUE: Uint8Array = classOf((byte) => byte === HTAB || (byte >= SP && byte !== DEL));

/** Request targets: visible ASCII but "#", which starts a fragment and is never sent. */
export const TARGET: Uint8Array = classOf((byte) => byte > SP && byte < DEL && byte !== HASH);

/** `TARGET` up to the query. */
export const PATH: Uint8Array = classOf((byte) => TARGET[byte] === 1 && byte !== QUESTION);

/**
 * Host names: the unreserved characters of RFC 3986 §2.3. Its sub-delims and percent-encodings are legal there
 * but name no host, and a comma or "%2e" is read in two ways; they are refused.
 */
export const HOST: Uint8Array = classOf((_, char) => /[0-9A-Za-z\-._~]/.test(char));

/** Value of a hexadecimal digit, 255 for any other byte. */
export const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(char) ? Number.parseInt(char, 16) : 255;
});

/**
 * Field name characters folded for comparison, 0 for bytes that no name may hold. Capitals become small, and "_"
 * becomes "-", because CGI and its heirs give an application both under one name.
 */
export const FOLD: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (TOKEN[byte] === 0) return 0;
  return byte === UNDERSCORE ? 0x2d : String.fromCharCode(byte).toLowerCase().charCodeAt(0);
});

/** A piece of a buffer. Lookups fill in one that the caller keeps, so that they allocate nothing. */
export interface Slice {
  start: number;
  end: number;
}

/**
 * Whether bytes that arrived from `from` on can decide about a head that was unfinished there: they end a line, or
 * follow a CR. All others only make its last line longer.
 */
export function endsLine(bytes: Uint8Array, from: number, end: number): boolean {
  if (bytes[from - 1] === CR) return true;
  const at = bytes.indexOf(LF, from);
  return at >= 0 && at < end;
}

/** The bytes of an ASCII (or Latin-1) text. */
export function asBytes(latin1: string): Uint8Array {
  return Buffer.from(latin1, "latin1");
}

/** The piece as a Latin-1 string: every byte one character, nothing lost. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** Whether the byte is optional whitespace (OWS): space or tab. */
export function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}

/** Whether the piece equals `folded` (small letters, "-" for "_") when its case is ignored. */
export function equalsFolded(bytes: Uint8Array, start: number, end: number, folded: Uint8Array): boolean {
  if (end - start !== folded.length) return false;
  for (let i = 0; i < folded.length; i++) {
    if (FOLD[bytes[start + i] as number] !== folded[i]) return false;
  }
  return true;
}

/** Whether two pieces of one buffer are equal when the case of letters is ignored. */
export function equalPieces(bytes: Uint8Array, start: number, end: number, other: Slice): boolean {
  if (end - start !== other.end - other.start) return false;
  for (let i = start, j = other.start; i < end; i++, j++) {
    if (lowerCase(bytes[i] as number) !== lowerCase(bytes[j] as number)) return false;
  }
  return true;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Whether the piece equals `wanted` byte for byte. */
export function equals(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) {
    if (bytes[start + i] !== wanted[i]) return false;
  }
  return true;
}

/** Below this many bytes a loop is quicker than the call into `Buffer.copy` (12 ns). */
const LOOP_BYTES_MAX = 24;

const bufferCopy = Buffer.prototype.copy;

/** Copies `from[start..end)` to `to[at..]`; the offset after it. The caller has checked that there is room. */
export function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > LOOP_BYTES_MAX) {
    bufferCopy.call(from, to, at, start, end);
    return at + end - start;
  }
  let into = at;
  for (let i = start; i < end; i++) to[into++] = from[i] as number;
  return into;
}

/** Copies all of `from` to `to[at..]`; the offset after it. */
export function put(from: Uint8Array, to: Uint8Array, at: number): number {
  return copy(from, 0, from.length, to, at);
}

/** Writes a whole number >= 0 in decimal; the offset after it. */
export function putDecimal(value: number, to: Uint8Array, at: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    to[i] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}
