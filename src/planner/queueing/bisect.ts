/** A root by halving. */

/** The smallest positive x for which a test that turns true once holds, to a relative 1e-12. */
export function bisect(holds: (x: number) => boolean, guess: number): number {
  if (holds(0)) return 0;
  let high = guess;
  for (let i = 0; i < 1100 && !holds(high); i++) high *= 2;
  let low = 0;
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
