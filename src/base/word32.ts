/** Arithmetic on 32-bit words that hashes and generators share. Words are int32: `>>> 0` makes one a uint32. */

/** The four bytes at `at` as a little-endian word; a byte beyond the end counts as 0. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Moves bits to the left, those that fall out coming in at the right; `bits` is 1..31. */
export function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
