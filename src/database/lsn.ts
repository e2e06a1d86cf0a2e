/**
 * A position in the write-ahead log: Postgres writes it "0/16B3748" (high and low 32 bits in hex); here it is a bigint,
 * so that positions compare and subtract.
 */

/** A position in the log, in bytes since the cluster was made. */
export type Lsn = bigint;

const WRITTEN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/** Reads "0/16B3748"; undefined when it is none. */
export function parseLsn(text: string): Lsn | undefined {
  const [, high, low] = WRITTEN.exec(text) ?? [];
  return high === undefined || low === undefined
    ? undefined
    : (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Writes it as Postgres does. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** Bytes from `from` to `to`; 0 when `to` lies before. */
export function bytesBetween(from: Lsn, to: Lsn): number {
  return to > from ? Number(to - from) : 0;
}
