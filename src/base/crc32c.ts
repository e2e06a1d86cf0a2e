/**
 * CRC-32C (Castagnoli; RFC 3720 appendix B.4): the checksum that guards journal records against torn writes.
 *
 * The polynomial of iSCSI, ext4, btrfs and Postgres' WAL: it finds every burst error of up to 32 bits, which a hash
 * does not promise. Reflected form, one table lookup per byte.
 */

const POLYNOMIAL_REFLECTED = 0x82f6_3b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL_REFLECTED : remainder >>> 1;
  }
  return remainder;
});

/**
 * The checksum of `bytes[start, end)`, a uint32. `previous` is the checksum of what came before: checksums of pieces,
 * each given the one before, equal the checksum of the whole. Allocates nothing. O(n).
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, previous = 0): number {
  let remainder = ~previous;
  for (let at = start; at < end; at++) {
    remainder = (TABLE[(remainder ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (remainder >>> 8);
  }
  return ~remainder >>> 0;
}
