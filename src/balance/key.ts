/** What the hashing algorithms do with a key's 32-bit hash. */

/** 2^-32: scales a 32-bit hash to [0, 1) exactly. */
const UNIT = 1 / 2 ** 32;

/** The hash as a fraction of the whole range, in [0, 1). Scaling is as even as a remainder and several times faster. */
export function fractionOf(hash: number): number {
  return (hash >>> 0) * UNIT;
}

/**
 * A second hash from a first: the finaliser of MurmurHash3, in which every input bit reaches every output bit. It is
 * a bijection, so different hashes stay different.
 */
export function rehash(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
