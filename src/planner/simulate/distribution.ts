/**
 * How long things take: distributions as people describe them, and samplers that draw from them.
 *
 * A time is described by its mean and, unless it is constant, by a coefficient of variation (cv, standard deviation
 * over mean): 0 is constant, 1 exponential, more has a long tail. Measured times can be given as quantiles instead.
 */
import type { Random } from "../../base/index.ts";

/** A distribution of times, ms. */
export type Distribution =
  | { readonly kind: "constant"; readonly meanMs: number }
  | { readonly kind: "exponential"; readonly meanMs: number }
  /** The sum of `k` exponential stages: cv 1/sqrt(k). */
  | { readonly kind: "erlang"; readonly meanMs: number; readonly k: number }
  /** Two exponentials with balanced means, for a cv above 1. */
  | { readonly kind: "hyperexponential"; readonly meanMs: number; readonly cv: number }
  /** What most measured service times look like. */
  | { readonly kind: "lognormal"; readonly meanMs: number; readonly cv: number }
  /** Straight lines between measured quantiles: [share, ms], ascending, from 0 to 1. */
  | { readonly kind: "empirical"; readonly quantiles: readonly (readonly [share: number, ms: number])[] };

/** Draws times, ms. */
export type Sampler = () => number;

/** A sampler of the distribution. Draws allocate nothing. */
export function sampler(distribution: Distribution, random: Random): Sampler {
  switch (distribution.kind) {
    case "constant":
      return () => distribution.meanMs;
    case "exponential":
      return exponential(distribution.meanMs, random);
    case "erlang":
      return erlang(distribution.meanMs, distribution.k, random);
    case "hyperexponential":
      return hyperexponential(distribution.meanMs, distribution.cv, random);
    case "lognormal":
      return lognormal(distribution.meanMs, distribution.cv, random);
    case "empirical":
      return empirical(distribution.quantiles, random);
  }
}

/** Mean of the distribution, ms. */
export function meanMs(distribution: Distribution): number {
  return distribution.kind === "empirical"
    ? segments(distribution.quantiles).reduce((sum, [share, from, to]) => sum + (share * (from + to)) / 2, 0)
    : distribution.meanMs;
}

/** Coefficient of variation of the distribution. */
export function cv(distribution: Distribution): number {
  switch (distribution.kind) {
    case "constant":
      return 0;
    case "exponential":
      return 1;
    case "erlang":
      return 1 / Math.sqrt(distribution.k);
    case "hyperexponential":
    case "lognormal":
      return distribution.cv;
    case "empirical": {
      const mean = meanMs(distribution);
      const square = segments(distribution.quantiles).reduce(
        (sum, [share, from, to]) => sum + (share * (from * from + from * to + to * to)) / 3,
        0,
      );
      return mean === 0 ? 0 : Math.sqrt(Math.max(0, square - mean * mean)) / mean;
    }
  }
}

/** Draws exponential times of this mean by inversion; `random` is below 1, so the logarithm is finite. */
export function exponential(mean: number, random: Random): Sampler {
  return () => -mean * Math.log(1 - random());
}

/** One logarithm for all stages: the product of their uniforms. */
function erlang(mean: number, k: number, random: Random): Sampler {
  return () => {
    let product = 1;
    for (let stage = 0; stage < k; stage++) product *= 1 - random();
    return (-mean / k) * Math.log(product);
  };
}

/** Balanced means (Morse 1958): each branch brings half of the total time. */
function hyperexponential(mean: number, variation: number, random: Random): Sampler {
  const square = variation * variation;
  const share = (1 + Math.sqrt((square - 1) / (square + 1))) / 2;
  const [short, long] = [mean / (2 * share), mean / (2 * (1 - share))];
  return () => -(random() < share ? short : long) * Math.log(1 - random());
}

/** Normal numbers by Box and Muller (1958), one of each pair. */
function lognormal(mean: number, variation: number, random: Random): Sampler {
  const variance = Math.log(1 + variation * variation);
  const deviation = Math.sqrt(variance);
  const location = Math.log(mean) - variance / 2;
  return () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return Math.exp(location + deviation * radius * Math.cos(2 * Math.PI * random()));
  };
}

function empirical(quantiles: readonly (readonly [number, number])[], random: Random): Sampler {
  const shares = Float64Array.from(quantiles, ([share]) => share);
  const times = Float64Array.from(quantiles, ([, ms]) => ms);
  return () => {
    const draw = random();
    let at = 1;
    for (let end = shares.length - 1; at < end; ) {
      const middle = (at + end) >> 1;
      if ((shares[middle] ?? 1) < draw) at = middle + 1;
      else end = middle;
    }
    const [low = 0, high = 1] = [shares[at - 1], shares[at]];
    const [from = 0, to = 0] = [times[at - 1], times[at]];
    return high === low ? to : from + ((to - from) * (draw - low)) / (high - low);
  };
}

function segments(quantiles: readonly (readonly [number, number])[]): (readonly [number, number, number])[] {
  return quantiles.slice(1).map(([share, ms], index) => {
    const [before = 0, from = 0] = quantiles[index] ?? [];
    return [share - before, from, ms] as const;
  });
}
