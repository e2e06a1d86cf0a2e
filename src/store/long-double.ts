/**
 * Sums of decimals as INCRBYFLOAT makes them: in the extended doubles of x86 (64 bits of mantissa), printed with 17 digits
 * behind the point. Exact integer arithmetic in place of the hardware, so that every machine gives the same text.
 */

/** Bits of the mantissa. */
const MANTISSA_BITS = 64;

/** Digits behind the point that are printed. */
const DECIMALS = 17;

/** Exponents beyond this are refused: nobody counts there, and the digits would fill memory. */
const EXPONENT_MAX = 400;

/** mantissa × 2^exponent. */
interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** The sum of two decimal texts as Redis prints it; undefined when one cannot be read, or the exponent is far out. */
export function addLongDoubles(a: string, b: string): string | undefined {
  const [left, right] = [parse(a), parse(b)];
  return left === undefined || right === undefined ? undefined : print(add(left, right));
}

/** The nearest extended double of a decimal. */
function parse(text: string): Binary | undefined {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > EXPONENT_MAX || whole.length > EXPONENT_MAX) return undefined;
  const digits = BigInt(`${whole}${fraction}` || "0");
  const signed = sign === "-" ? -digits : digits;
  return exponent >= 0
    ? rounded(signed * 10n ** BigInt(exponent), 1n)
    : rounded(signed, 10n ** BigInt(-exponent));
}

/** numerator / denominator to 64 bits, half to even. */
function rounded(numerator: bigint, denominator: bigint): Binary {
  const positive = numerator < 0n ? -numerator : numerator;
  if (positive === 0n) return { mantissa: 0n, exponent: 0 };
  // Enough bits for the mantissa, whatever the two lengths are; one too many at most.
  const exponent = bits(positive) - bits(denominator) - MANTISSA_BITS;
  let mantissa = halfEven(positive, denominator, exponent);
  let shift = exponent;
  if (bits(mantissa) > MANTISSA_BITS) {
    shift = exponent + 1;
    mantissa = halfEven(positive, denominator, shift);
  }
  return { mantissa: numerator < 0n ? -mantissa : mantissa, exponent: shift };
}

/** numerator / (denominator × 2^exponent), to the nearest whole number, half to even. */
function halfEven(numerator: bigint, denominator: bigint, exponent: number): bigint {
  const top = exponent < 0 ? numerator << BigInt(-exponent) : numerator;
  const bottom = exponent < 0 ? denominator : denominator << BigInt(exponent);
  const quotient = top / bottom;
  const twice = (top % bottom) * 2n;
  return twice > bottom || (twice === bottom && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

function bits(value: bigint): number {
  return value.toString(2).length;
}

function add(a: Binary, b: Binary): Binary {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  return exponent >= 0 ? rounded(sum << BigInt(exponent), 1n) : rounded(sum, 1n << BigInt(-exponent));
}

function print({ mantissa, exponent }: Binary): string {
  const positive = mantissa < 0n ? -mantissa : mantissa;
  const scaled = halfEven(positive * 10n ** BigInt(DECIMALS), 1n, -exponent);
  const digits = scaled.toString().padStart(DECIMALS + 1, "0");
  const text = `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, "");
  return mantissa < 0n && text !== "0" ? `-${text}` : text;
}
