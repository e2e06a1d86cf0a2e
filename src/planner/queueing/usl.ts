/**
 * The universal scalability law (Gunther 1993): X(N) = gN / (1 + a(N-1) + bN(N-1)).
 *
 * `a` (contention) is what has to be done one after the other, `b` (coherence) what everybody must agree on with
 * everybody. Fitted to measured throughput by least squares (Levenberg 1944, Marquardt 1963), with a and b kept at 0 or above.
 */
import { studentQuantile } from "./student.ts";

/** Throughput at one number of users, threads or servers. */
export interface UslPoint {
  readonly n: number;
  readonly throughput: number;
}

/** A coefficient with its 95 % interval; a bound of 0 that was hit has none. */
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

/** Fits the law; needs at least three different numbers (else undefined). */
export function fitUsl(points: readonly UslPoint[]): UslFit | undefined {
  if (new Set(points.map(({ n }) => n)).size < 3) return undefined;
  const free = [true, true, true];
  let parameters = descend(points, start(points), free);
  // A coefficient that wants to be negative is 0, and the others are fitted anew.
  for (const at of [1, 0]) {
    if ((parameters[at] ?? 0) > 1e-12) continue;
    free[at] = false;
    parameters = descend(points, withZero(parameters, at), free);
  }
  return describe(points, parameters, free);
}

function withZero([contention, coherence, single]: Parameters, at: number): Parameters {
  return [at === 0 ? 0 : contention, at === 1 ? 0 : coherence, single];
}

/** N/X is a parabola in N: an ordinary least squares fit of it is a good place to begin. */
function start(points: readonly UslPoint[]): Parameters {
  const rows = points.map(({ n }) => [1, n - 1, n * (n - 1)]);
  const [base = 1, linear = 0, square = 0] = solveNormal(
    rows,
    points.map(({ n, throughput }) => n / throughput),
    0,
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
  const moves = solveNormal(rows, rest, damping);
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
    return { value, low: value - t * error, high: value + t * error };
  };
  const peakN = coherence > 0 && contention < 1 ? Math.sqrt((1 - contention) / coherence) : Infinity;
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
  const inverse = invert(normal(rows, 0));
  let at = 0;
  return free.map((isFree) => {
    if (!isFree) return undefined;
    const diagonal = inverse?.[at]?.[at] ?? Infinity;
    at++;
    return Math.sqrt(Math.max(0, diagonal * variance));
  });
}

/** J^T J with its diagonal raised by `damping` of itself. */
function normal(rows: readonly (readonly number[])[], damping: number): number[][] {
  const size = rows[0]?.length ?? 0;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) => {
      const sum = rows.reduce((total, row) => total + (row[i] ?? 0) * (row[j] ?? 0), 0);
      return i === j ? sum * (1 + damping) : sum;
    }),
  );
}

function solveNormal(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  damping: number,
): number[] | undefined {
  const inverse = invert(normal(rows, damping));
  if (inverse === undefined) return undefined;
  const right = inverse.map((_, i) =>
    rows.reduce((sum, row, point) => sum + (row[i] ?? 0) * (targets[point] ?? 0), 0),
  );
  return inverse.map((row) => row.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0));
}

/** Gauss-Jordan with pivots, on a matrix scaled to a unit diagonal; undefined when it has no inverse. */
function invert(matrix: readonly (readonly number[])[]): number[][] | undefined {
  const size = matrix.length;
  const scale = matrix.map((row, i) => 1 / Math.sqrt(row[i] ?? 1));
  const work = matrix.map((row, i) => [
    ...row.map((value, j) => value * (scale[i] ?? 1) * (scale[j] ?? 1)),
    ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
  ]);
  for (let column = 0; column < size; column++) {
    const pivot = work
      .map((row, index) => ({ index, size: Math.abs(row[column] ?? 0) }))
      .slice(column)
      .reduce((a, b) => (b.size > a.size ? b : a));
    if (!(pivot.size > 1e-14)) return undefined;
    const [from, to] = [work[pivot.index] ?? [], work[column] ?? []];
    [work[column], work[pivot.index]] = [from, to];
    const divisor = from[column] ?? 1;
    for (let j = 0; j < from.length; j++) from[j] = (from[j] ?? 0) / divisor;
    for (const [index, row] of work.entries()) {
      const factor = row[column] ?? 0;
      if (index === column || factor === 0) continue;
      for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) - factor * (from[j] ?? 0);
    }
  }
  return work.map((row, i) => row.slice(size).map((value, j) => value * (scale[i] ?? 1) * (scale[j] ?? 1)));
}
