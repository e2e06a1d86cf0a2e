/**
 * The universal scalability law (Gunther 1993): X(N) = gN / (1 + a(N-1) + bN(N-1)).
 *
 * `a` (contention) is what has to be done one after the other, `b` (coherence) what everybody must agree on with
 * everybody. Fitted to measured throughput by least squares (Levenberg 1944, Marquardt 1963), with a and b kept at 0 or above.
 */
import { coefficientVariances, solveLeastSquares } from "./least-squares.ts";
import { studentQuantile } from "./student.ts";

/** Throughput at one number of users, threads or servers. */
export interface UslPoint {
  readonly n: number;
  readonly throughput: number;
}

/** A coefficient with its 95 % interval, cut off at 0; one that is held at 0 has none. */
export interface UslCoefficient {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A fitted law. */
export interface UslFit {
  readonly contention: UslCoefficient;
  readonly coherence: UslCoefficient;
  /** Throughput of one. */
  readonly single: UslCoefficient;
  /** Share of the variance that the law explains. */
  readonly rSquared: number;
  /** Where throughput is greatest, and how great; Infinity when nothing says that it falls. */
  readonly peakN: number;
  readonly peakThroughput: number;
  /** What contention alone would never exceed: g / a. */
  readonly ceiling: number;
  /** Up to here the law may be believed: twice what was measured. */
  readonly trustedN: number;
}

/** Beyond this multiple of the largest measured N a fitted curve says more about the law than about the system. */
const TRUST = 2;

const ITERATIONS_MAX = 500;

type Parameters = readonly [contention: number, coherence: number, single: number];

/** Throughput by the law at `n`. */
export function uslAt([contention, coherence, single]: Parameters, n: number): number {
  return (single * n) / (1 + contention * (n - 1) + coherence * n * (n - 1));
}

/** Which of the three coefficients are fitted; the others are 0. The simplest first. */
const FITTED: readonly (readonly boolean[])[] = [
  [false, false, true],
  [true, false, true],
  [false, true, true],
  [true, true, true],
];

/** A law with more coefficients must lower the squares by more than this share of the data's to be believed. */
const ROUNDING = 1e-20;

/**
 * Fits the law; needs at least three different numbers (else undefined). Where the best a or b is negative the least
 * squares within a, b >= 0 lie on an edge, so each edge is fitted by itself and the best of all is taken.
 */
export function fitUsl(points: readonly UslPoint[]): UslFit | undefined {
  if (new Set(points.map(({ n }) => n)).size < 3) return undefined;
  const from = start(points);
  const whole = points.reduce((sum, { throughput }) => sum + throughput ** 2, 0);
  const fits = FITTED.map((free) => {
    const begin: Parameters = [free[0] === true ? from[0] : 0, free[1] === true ? from[1] : 0, from[2]];
    const parameters = descend(points, begin, free);
    return { free, parameters, error: squares(points, parameters) };
  });
  const best = fits.reduce((a, b) => (b.error < a.error * (1 - 1e-9) - ROUNDING * whole ? b : a));
  return describe(points, best.parameters, best.free);
}

/** N/X is a parabola in N: an ordinary least squares fit of it is a good place to begin. */
function start(points: readonly UslPoint[]): Parameters {
  const rows = points.map(({ n }) => [1, n - 1, n * (n - 1)]);
  const [base = 1, linear = 0, square = 0] = solveLeastSquares(
    rows,
    points.map(({ n, throughput }) => n / throughput),
  ) ?? [1 / Math.max(...points.map(({ n, throughput }) => throughput / n))];
  const single = base > 0 ? 1 / base : Math.max(...points.map(({ n, throughput }) => throughput / n));
  return [Math.max(0, linear * single), Math.max(0, square * single), single];
}

function descend(points: readonly UslPoint[], from: Parameters, free: readonly boolean[]): Parameters {
  let parameters = from;
  let error = squares(points, parameters);
  let damping = 1e-3;
  for (let i = 0; i < ITERATIONS_MAX && damping < 1e12; i++) {
    const next = step(points, parameters, free, damping);
    const nextError = next === undefined ? Infinity : squares(points, next);
    if (next === undefined || !(nextError <= error)) {
      damping *= 10;
      continue;
    }
    const settled = error - nextError <= 1e-15 * error;
    [parameters, error, damping] = [next, nextError, damping / 10];
    if (settled) break;
  }
  return parameters;
}

function step(
  points: readonly UslPoint[],
  parameters: Parameters,
  free: readonly boolean[],
  damping: number,
): Parameters | undefined {
  const rows = points.map(({ n }) => gradient(parameters, n).filter((_, at) => free[at]));
  const rest = points.map(({ n, throughput }) => throughput - uslAt(parameters, n));
  const moves = solveLeastSquares(rows, rest, damping);
  if (moves === undefined) return undefined;
  let at = 0;
  const moved = parameters.map((value, index) => {
    const next = free[index] === true ? value + (moves[at++] ?? 0) : value;
    return index === 2 ? next : Math.max(0, next);
  });
  return [moved[0] ?? 0, moved[1] ?? 0, moved[2] ?? 0];
}

function gradient([contention, coherence, single]: Parameters, n: number): number[] {
  const divisor = 1 + contention * (n - 1) + coherence * n * (n - 1);
  const slope = (-single * n) / divisor ** 2;
  return [slope * (n - 1), slope * n * (n - 1), n / divisor];
}

function squares(points: readonly UslPoint[], parameters: Parameters): number {
  return points.reduce((sum, { n, throughput }) => sum + (throughput - uslAt(parameters, n)) ** 2, 0);
}

function describe(points: readonly UslPoint[], parameters: Parameters, free: readonly boolean[]): UslFit {
  const [contention, coherence, single] = parameters;
  const errors = standardErrors(points, parameters, free);
  const degrees = points.length - free.filter(Boolean).length;
  const t = degrees > 0 ? studentQuantile(0.975, degrees) : Infinity;
  const interval = (value: number, at: number): UslCoefficient => {
    const error = errors[at];
    if (error === undefined) return { value, low: value, high: value };
    return { value, low: Math.max(0, value - t * error), high: value + t * error };
  };
  const peakN = peakOf(parameters);
  const mean = points.reduce((sum, { throughput }) => sum + throughput, 0) / points.length;
  const variance = points.reduce((sum, { throughput }) => sum + (throughput - mean) ** 2, 0);
  const ceiling = contention > 0 ? single / contention : Infinity;
  return {
    contention: interval(contention, 0),
    coherence: interval(coherence, 1),
    single: interval(single, 2),
    rSquared: variance === 0 ? 1 : 1 - squares(points, parameters) / variance,
    peakN,
    peakThroughput: peakN === Infinity ? ceiling : uslAt(parameters, peakN),
    ceiling,
    trustedN: TRUST * Math.max(...points.map(({ n }) => n)),
  };
}

/** Where the law is greatest, from one on. */
function peakOf([contention, coherence]: Parameters): number {
  if (contention >= 1) return 1;
  return coherence === 0 ? Infinity : Math.max(1, Math.sqrt((1 - contention) / coherence));
}

/** By parameter; undefined for one that is held at its bound. */
function standardErrors(
  points: readonly UslPoint[],
  parameters: Parameters,
  free: readonly boolean[],
): (number | undefined)[] {
  const rows = points.map(({ n }) => gradient(parameters, n).filter((_, at) => free[at]));
  const count = free.filter(Boolean).length;
  const degrees = points.length - count;
  const variance = degrees > 0 ? squares(points, parameters) / degrees : Infinity;
  const variances = coefficientVariances(rows);
  let at = 0;
  return free.map((isFree) => {
    if (!isFree) return undefined;
    const diagonal = variances?.[at] ?? Infinity;
    at++;
    return Math.sqrt(Math.max(0, diagonal * variance));
  });
}
