/** ln of the gamma function, by Stirling's series after shifting the argument up to where it converges (DLMF 5.11.1). */

/** From here on six terms are exact to the last bit. */
const SHIFTED = 15;

/** B(2k) / (2k(2k-1)): the coefficients of the series. */
const TERMS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360];

/** ln of gamma(x), x > 0; relative error below 1e-14. */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < SHIFTED; at++) shift += Math.log(at);
  let series = 0;
  let power = at;
  for (const term of TERMS) {
    series += term / power;
    power *= at * at;
  }
  return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - shift;
}
