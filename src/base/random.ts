/**
 * Random numbers: seeded for tests and simulation, the machine's for production.
 *
 * The seeded generator is xoshiro128** (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * its state filled from the seed by splitmix32, so that neighbouring seeds give unrelated sequences. Neither source
 * is fit for secrets: those come from `crypto.getRandomValues`.
 */
import { rotateLeft } from "./word32.ts";

/** A source of numbers uniform in [0, 1). */
export type Random = () => number;

/** The machine's source, not reproducible. Not for secrets. */
export const systemRandom: Random = () => Math.random();

/** A reproducible source: the same seed (its low 32 bits) gives the same numbers everywhere. Resolution 2^-32. */
export function seededRandom(seed: number): Random {
  const nextWord = splitmix32(seed);
  const draw = xoshiro128(nextWord(), nextWord(), nextWord(), nextWord());
  return () => draw() / 0x1_0000_0000;
}

/** xoshiro128** from a state of four words, not all zero. Draws uniform uint32. */
export function xoshiro128(a: number, b: number, c: number, d: number): () => number {
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return scrambled;
  };
}

/** Weyl sequence with murmur3's finaliser; a permutation, so four draws in a row are never all zero. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}
