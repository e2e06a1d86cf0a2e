/** Quantiles of Student's t, for intervals: from the incomplete beta function by continued fraction (DLMF 8.17.22). */
import { bisect } from "./bisect.ts";
import { logGamma } from "./log-gamma.ts";

/** The t that the share `q` (above 0.5) of the distribution with so many degrees of freedom does not exceed. */
export function studentQuantile(q: number, degrees: number): number {
  const outside = 2 * (1 - q);
  return bisect((t) => incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) <= outside, 1);
}

/** I_x(a, b), the regularised incomplete beta function. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b);
  return (Math.exp(front) / a) * continuedFraction(x, a, b);
}

/** Lentz's way of evaluating the fraction: no term of it is ever 0. */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return result;
}
