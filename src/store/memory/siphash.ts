/**
 * HalfSipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the 32-bit variant of its reference code):
 * a hash with a secret, so that nobody can choose keys that all fall into one place. One round a word and three at the end:
 * the numbers that Python, Rust and Linux's hash tables use for SipHash.
 */

const WORD_ROUNDS = 1;
const END_ROUNDS = 3;

/** A secret of 64 bits. */
export interface HashSecret {
  readonly low: number;
  readonly high: number;
}

/** The hash of `bytes[start, end)`, an int32. O(n), allocates nothing. */
// oxlint-disable-next-line max-params -- slices as bytes, start and end: an object for each would be garbage on the hot path (bench/store.ts)
export function halfSipHash(
  bytes: Uint8Array,
  start: number,
  end: number,
  { low, high }: HashSecret,
  wordRounds: number = WORD_ROUNDS,
  endRounds: number = END_ROUNDS,
): number {
  let v0 = low;
  let v1 = high;
  let v2 = 0x6c79_6765 ^ low;
  let v3 = 0x7465_6462 ^ high;
  const tail = end - ((end - start) & 3);
  // Whole words, the rest with the length, and one more turn that takes no word: the end.
  for (let at = start; at <= tail + 4; at += 4) {
    const isEnd = at > tail;
    let word = 0;
    if (at < tail) {
      word =
        (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24);
    } else if (isEnd) v2 ^= 0xff;
    else {
      word = (end - start) << 24;
      if (at + 2 < end) word |= (bytes[at + 2] ?? 0) << 16;
      if (at + 1 < end) word |= (bytes[at + 1] ?? 0) << 8;
      if (at < end) word |= bytes[at] ?? 0;
    }
    v3 ^= word;
    for (let round = isEnd ? endRounds : wordRounds; round > 0; round--) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  return v1 ^ v3;
}
