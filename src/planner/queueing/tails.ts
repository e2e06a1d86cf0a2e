/**
 * Tails and quantiles of a queue's answers.
 *
 * An answer is a service, or a wait and then a service. The wait is exponential with a lump at 0, as in M/M/c; for
 * other queues that is Kingman's heavy-traffic form (1962) with the mean that the queue has. The service is fitted to its
 * mean and cv by two moments (Whitt 1982; Tijms, "Stochastic Models", 1994): up to a cv of 1 a constant and an
 * exponential after it, above it a mixture of two exponentials with balanced means. At a cv of 1 all of it is exact;
 * conformance/queueing/tails.ts shows how near it is elsewhere.
 */
import { bisect } from "./bisect.ts";
import type { Steady } from "./steady.ts";

/** An exponential service after a constant, taken by this share of the requests. */
interface Phase {
  readonly share: number;
  readonly constantMs: number;
  readonly meanMs: number;
}

/** Share of requests that wait longer than `ms`: C e^(-C/W t). */
export function waitTail({ waitShare, waitMs }: Steady, ms: number): number {
  return waitMs === 0 ? 0 : waitShare * Math.exp((-waitShare / waitMs) * ms);
}

/** The wait that the share `q` of the requests does not exceed, ms. */
export function waitQuantile({ waitShare, waitMs }: Steady, q: number): number {
  return waitMs === 0 || waitShare <= 1 - q ? 0 : (waitMs / waitShare) * Math.log(waitShare / (1 - q));
}

/** Share of requests whose answer takes longer than `ms`. */
export function responseTail(queue: Steady, ms: number): number {
  return phasesOf(queue).reduce((sum, phase) => sum + phase.share * phaseTail(queue, phase, ms), 0);
}

/** The time that the share `q` of the answers does not exceed, ms. By halving, to a relative 1e-12. */
export function responseQuantile(queue: Steady, q: number): number {
  return bisect((ms) => responseTail(queue, ms) <= 1 - q, queue.responseMs);
}

function phasesOf({ serviceMs, serviceCv }: Steady): Phase[] {
  if (serviceCv <= 1)
    return [{ share: 1, constantMs: (1 - serviceCv) * serviceMs, meanMs: serviceCv * serviceMs }];
  const lean = Math.sqrt((serviceCv ** 2 - 1) / (serviceCv ** 2 + 1));
  return [(1 + lean) / 2, (1 - lean) / 2].map((share) => ({
    share,
    constantMs: 0,
    meanMs: serviceMs / (2 * share),
  }));
}

function phaseTail({ waitShare, waitMs }: Steady, { constantMs, meanMs }: Phase, ms: number): number {
  const afterMs = ms - constantMs;
  if (afterMs < 0) return 1;
  const alone = exponentialTail(meanMs, afterMs);
  if (waitMs === 0) return alone;
  return (1 - waitShare) * alone + waitShare * sumTail(waitMs / waitShare, meanMs, afterMs);
}

/**
 * P(A + B > t) of two exponentials with these means. (d e^-mt - m e^-dt) / (d - m) in a form without a difference of
 * near numbers, so that it needs no special case where both rates meet.
 */
function sumTail(a: number, b: number, t: number): number {
  const [slow, fast] = a > b ? [1 / a, 1 / b] : [1 / b, 1 / a];
  if (t === 0 || slow === Infinity) return t === 0 ? 1 : 0;
  const z = (fast - slow) * t;
  const between = z === 0 ? 1 : -Math.expm1(-z) / z;
  return Math.exp(-slow * t) * (1 + slow * t * between);
}

function exponentialTail(meanMs: number, ms: number): number {
  if (meanMs === 0) return ms > 0 ? 0 : 1;
  return Math.exp(-ms / meanMs);
}
