/** Doubles as Redis 7 writes them: C's `%.17g`, so that whoever reads the text gets the very same double. */

/** Significant digits that tell any two doubles apart. */
const DIGITS = 17;

/** Below this, whole numbers are written the same by JavaScript and by C, and faster by JavaScript. */
const WHOLE_MAX = 1e15;

/** The text of `value`; "inf", "-inf" and "nan" for what is no number. */
export function formatDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < WHOLE_MAX)
    return Object.is(value, -0) ? "-0" : String(value);
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [mantissa = "", power = "0"] = value.toExponential(DIGITS - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= DIGITS) {
    const sign = exponent < 0 ? "-" : "+";
    return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return withoutZeros(value.toFixed(Math.min(100, DIGITS - 1 - exponent)));
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
