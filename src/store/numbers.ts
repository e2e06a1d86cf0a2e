/** Numbers as Redis reads them: whole ones of 64 bits, and doubles. */
import { latin1, parseInteger } from "../resp/index.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Whether a bigint fits a signed 64-bit integer. */
export function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** A whole number in canonical digits ("7", "-12", not "07" or "+7"), NaN when it is none; beyond 15 digits NaN too. */
export function canonicalInteger(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] === 45 ? start + 1 : start;
  if (bytes[first] === 48 && (end - first > 1 || first > start)) return Number.NaN;
  return parseInteger(bytes, start, end);
}

/** A canonical 64-bit integer; undefined when it is none. */
export function int64(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  if (end - start > 20 || end === start) return undefined;
  const text = latin1(bytes, start, end);
  if (!/^(?:0|-?[1-9]\d*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return isInt64(value) ? value : undefined;
}

const FLOAT = /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?)$/i;

/** A double as C's strtod reads it, without space around and without NaN; undefined when it is none. */
export function parseDouble(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  if (/inf/i.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}
