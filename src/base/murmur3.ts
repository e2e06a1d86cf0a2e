/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain): the hash for placing keys on rings, tables and buckets.
 *
 * Chosen for spreading short keys evenly at under a nanosecond per byte, and because every language has it, so that
 * somebody else's tool can compute the same placement. It does not resist an attacker who picks the keys.
 */
import { rotateLeft, wordAt } from "./word32.ts";

const C1 = 0xcc9e_2d51;
const C2 = 0x1b87_3593;

/** Longest non-ASCII text, in UTF-16 units, that is encoded into the shared buffer; keys are far shorter. */
const SCRATCH_UNITS = 1024;

const encoder = new TextEncoder();
// UTF-8 takes at most three bytes for one UTF-16 unit.
const scratch = new Uint8Array(SCRATCH_UNITS * 3);

/** Hashes `bytes[start, end)` to a uint32. Allocates nothing. O(n). */
export function murmur3(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const blocksEnd = start + ((end - start) & ~3);
  let hash = seed | 0;
  for (let at = start; at < blocksEnd; at += 4) hash = mixBlock(hash, wordAt(bytes, at));
  return finish(hash ^ scramble(tailAt(bytes, blocksEnd, end)), end - start);
}

/**
 * Hashes the UTF-8 bytes of `text`: equal to `murmur3` over `TextEncoder`'s output, lone surrogates included (they
 * become U+FFFD). ASCII text allocates nothing; other text takes a buffer only beyond 1024 units. O(n).
 */
export function murmur3String(text: string, seed: number): number {
  const blocksEnd = text.length & ~3;
  let hash = seed | 0;
  let seen = 0;
  for (let at = 0; at < blocksEnd; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    seen |= a | b | c | d;
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let at = text.length - 1; at >= blocksEnd; at--) {
    const unit = text.charCodeAt(at);
    seen |= unit;
    tail = (tail << 8) | unit;
  }
  return seen < 0x80 ? finish(hash ^ scramble(tail), text.length) : murmur3Encoded(text, seed);
}

function murmur3Encoded(text: string, seed: number): number {
  if (text.length > SCRATCH_UNITS) {
    const bytes = encoder.encode(text);
    return murmur3(bytes, 0, bytes.length, seed);
  }
  return murmur3(scratch, 0, encoder.encodeInto(text, scratch).written, seed);
}

/** The zero to three bytes after the last whole block, little-endian. */
function tailAt(bytes: Uint8Array, start: number, end: number): number {
  let tail = 0;
  for (let at = end - 1; at >= start; at--) tail = (tail << 8) | (bytes[at] ?? 0);
  return tail;
}

function scramble(word: number): number {
  return Math.imul(rotateLeft(Math.imul(word, C1), 15), C2);
}

function mixBlock(hash: number, word: number): number {
  return (Math.imul(rotateLeft(hash ^ scramble(word), 13), 5) + 0xe654_6b64) | 0;
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
