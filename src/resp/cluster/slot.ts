/**
 * Hash slots of Redis Cluster: CRC16 of a key, or of its hash tag, modulo 16,384 (Redis Cluster Specification, "Key
 * distribution model" and "Hash tags").
 */
import type { Argument } from "../request.ts";

/** How many slots a cluster has. */
export const SLOTS = 16_384;

/** CRC-16/XMODEM: x^16 + x^12 + x^5 + 1, begun at 0, nothing reflected. */
const POLYNOMIAL = 0x1021;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  return crc & 0xffff;
});

const OPEN = 123; // {
const CLOSE = 125; // }

const UTF8 = new TextEncoder();

/** CRC-16/XMODEM of `bytes[start, end)`; 0x31c3 for "123456789". O(bytes). */
export function crc16(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0;
  for (let at = start; at < end; at++)
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ (bytes[at] ?? 0)] ?? 0);
  return crc;
}

/** The slot of a key, 0 to 16,383. Text counts as UTF-8, as it is sent. O(bytes). */
export function slotOf(key: Argument): number {
  const bytes = key instanceof Uint8Array ? key : bytesOfText(String(key));
  const open = bytes.indexOf(OPEN);
  const close = open < 0 ? -1 : bytes.indexOf(CLOSE, open + 1);
  // "{}" is no tag: then the whole key counts.
  return (close > open + 1 ? crc16(bytes, open + 1, close) : crc16(bytes)) % SLOTS;
}

/** Short texts of ASCII, which most keys are, go through memory that is used again. */
const SCRATCH = new Uint8Array(128);

function bytesOfText(text: string): Uint8Array {
  if (text.length > SCRATCH.length) return UTF8.encode(text);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return UTF8.encode(text);
    SCRATCH[at] = code;
  }
  return SCRATCH.subarray(0, text.length);
}
