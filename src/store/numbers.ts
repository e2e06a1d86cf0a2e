/**
 * Numbers as Redis reads and writes them: whole ones of 64 bits, and decimals that add up as people expect ("0.1" + "0.2" is
 * "0.3"; Redis counts in long doubles for that, here it is exact decimal arithmetic).
 */
import { formatDouble, latin1, parseInteger } from "../resp/index.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Digits behind the point that Redis prints for a long double. */
const DECIMALS = 17;
const SCALE = 10n ** BigInt(DECIMALS);

/** Exponents beyond this are left to doubles: nobody counts money there. */
const EXPONENT_MAX = 30;

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

/** The sum of two decimals, written without exponent and without zeros at its end; undefined when it is not finite. */
export function addDecimals(a: string, b: string): string | undefined {
  const [left, right] = [scaled(a), scaled(b)];
  if (left !== undefined && right !== undefined) return unscaled(left + right);
  const sum = (parseDouble(a) ?? Number.NaN) + (parseDouble(b) ?? Number.NaN);
  if (!Number.isFinite(sum)) return undefined;
  return Math.abs(sum) < 1e21 ? trimmed(sum.toFixed(DECIMALS)) : wholeDigits(sum);
}

function wholeDigits(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : formatDouble(value);
}

/** A decimal times 10^17; undefined when its exponent is far out. */
function scaled(text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  const exponent = Number(power);
  if (Math.abs(exponent) > EXPONENT_MAX || whole.length > EXPONENT_MAX) return undefined;
  const shift = DECIMALS + exponent - fraction.length;
  const digits = BigInt(`${whole}${fraction}` || "0");
  const value = shift >= 0 ? digits * 10n ** BigInt(shift) : rounded(digits, 10n ** BigInt(-shift));
  return sign === "-" ? -value : value;
}

function rounded(value: bigint, by: bigint): bigint {
  return (value + by / 2n) / by;
}

function unscaled(value: bigint): string {
  const positive = value < 0n ? -value : value;
  const whole = positive / SCALE;
  const fraction = (positive % SCALE).toString().padStart(DECIMALS, "0");
  return trimmed(`${value < 0n ? "-" : ""}${whole}.${fraction}`);
}

function trimmed(text: string): string {
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}
