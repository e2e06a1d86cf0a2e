/**
 * XFetch (Vattani, Chierichetti & Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015): a value is
 * refreshed a little before it expires, by whoever draws the lot, the likelier the nearer the end and the longer a load.
 */

/**
 * Whether this read refreshes: `leftMs <= -loadMs x beta x ln(u)`, u uniform in (0, 1]. So with beta 1 a read that comes
 * t before the end refreshes with a chance of e^(-t / loadMs): 37 % at one load's time, 5 % at three. Never where the load
 * took no time.
 */
export function refreshesEarly(leftMs: number, loadMs: number, beta: number, random: () => number): boolean {
  if (loadMs <= 0 || beta <= 0) return false;
  // `random` is in [0, 1): one minus it is in (0, 1], which has a logarithm.
  return leftMs <= -loadMs * beta * Math.log(1 - random());
}
