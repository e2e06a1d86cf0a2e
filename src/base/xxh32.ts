/**
 * XXH32 (Yann Collet; doc/xxhash_spec.md in Cyan4973/xxHash): the hash for long inputs.
 *
 * Four independent lanes of 32 bits, merged at the end: on bodies and blocks it outruns murmur3, which waits on one
 * chain of multiplications. On keys of a few bytes the two are alike. Not for input that an attacker picks.
 */
import { rotateLeft, wordAt } from "./word32.ts";

const PRIME_1 = 0x9e37_79b1;
const PRIME_2 = 0x85eb_ca77;
const PRIME_3 = 0xc2b2_ae3d;
const PRIME_4 = 0x27d4_eb2f;
const PRIME_5 = 0x1656_67b1;

/** Bytes taken by one step of the four lanes. */
const STRIPE_BYTES = 16;

/** Hashes `bytes[start, end)` to a uint32. Allocates nothing. O(n). */
export function xxh32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const stripesEnd = start + ((end - start) & ~(STRIPE_BYTES - 1));
  const wordsEnd = start + ((end - start) & ~3);
  let hash = stripesEnd > start ? hashStripes(bytes, start, stripesEnd, seed) : (seed + PRIME_5) | 0;
  hash = (hash + (end - start)) | 0;
  for (let at = stripesEnd; at < wordsEnd; at += 4) {
    hash = Math.imul(rotateLeft((hash + Math.imul(wordAt(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (let at = wordsEnd; at < end; at++) {
    hash = Math.imul(rotateLeft((hash + Math.imul(bytes[at] ?? 0, PRIME_5)) | 0, 11), PRIME_1);
  }
  return avalanche(hash);
}

function hashStripes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let lane1 = (seed + PRIME_1 + PRIME_2) | 0;
  let lane2 = (seed + PRIME_2) | 0;
  let lane3 = seed | 0;
  let lane4 = (seed - PRIME_1) | 0;
  for (let at = start; at < end; at += STRIPE_BYTES) {
    lane1 = round(lane1, wordAt(bytes, at));
    lane2 = round(lane2, wordAt(bytes, at + 4));
    lane3 = round(lane3, wordAt(bytes, at + 8));
    lane4 = round(lane4, wordAt(bytes, at + 12));
  }
  return (rotateLeft(lane1, 1) + rotateLeft(lane2, 7) + rotateLeft(lane3, 12) + rotateLeft(lane4, 18)) | 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotateLeft((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  mixed = Math.imul(mixed ^ (mixed >>> 13), PRIME_3);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
