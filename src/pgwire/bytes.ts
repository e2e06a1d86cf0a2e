/** Bytes of the protocol: big-endian numbers, and text that ends with a zero byte. */

const UTF8 = new TextDecoder();
const ENCODER = new TextEncoder();

/** Up to here a loop over characters beats the call of a decoder; statement and portal names are that short. */
const SHORT = 32;

/** Up to here a loop over bytes beats the call of `copy`; both measured on Bun. */
const SHORT_COPY = 24;

/** Works on any array, and needs no view of it as `set` does. */
const bufferCopy = Buffer.prototype.copy;

/** The signed 32-bit number at `at`; what lies beyond the end reads as 0. */
export function int32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** The signed 16-bit number at `at`. */
export function int16At(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) >> 16) | (bytes[at + 1] ?? 0);
}

/** Writes a 32-bit number; the room must be there. */
export function putInt32(value: number, into: Uint8Array, at: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

/** Where the zero byte of the text that starts at `start` is, -1 when it is not within `[start, end)`. */
export function cstringEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return at;
  return -1;
}

/** What arrives lies in the same memory time and again: the last view is kept. Half the price of a decoder and a subarray. */
let viewed: Uint8Array = new Uint8Array(0);
let view: Buffer = Buffer.from(viewed.buffer);

function viewOf(bytes: Uint8Array): Buffer {
  if (bytes === viewed) return view;
  viewed = bytes;
  view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return view;
}

/** `bytes[start, end)` as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return viewOf(bytes).toString("utf8", start, end);
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return UTF8.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Copies `from[start, end)` to `into[at…)`; returns where it ends. The room must be there. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  into: Uint8Array,
  at: number,
): number {
  if (end - start <= SHORT_COPY) for (let i = start, to = at; i < end; i++, to++) into[to] = from[i] ?? 0;
  else bufferCopy.call(from, into, at, start, end);
  return at + end - start;
}
