/** Positions in the write-ahead log: 64 bits, written as two hexadecimal numbers, "16/B374D848". */

/** A byte's position in the log. */
export type Lsn = bigint;

const FORM = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** The position that `text` names, undefined when it names none. */
export function parseLsn(text: string): Lsn | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  return (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}

/** As the server writes it. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
