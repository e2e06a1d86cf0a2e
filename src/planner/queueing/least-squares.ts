/** Least squares by the normal equations: what a fit of three coefficients needs, and no more. */

/** Rows of a matrix. */
export type Rows = readonly (readonly number[])[];

/** The x that makes |rows x - targets| least, the diagonal raised by `damping` of itself; undefined when none is. */
export function solveLeastSquares(rows: Rows, targets: readonly number[], damping = 0): number[] | undefined {
  const inverse = invert(normal(rows, damping));
  if (inverse === undefined) return undefined;
  const right = inverse.map((_, i) =>
    rows.reduce((sum, row, point) => sum + (row[i] ?? 0) * (targets[point] ?? 0), 0),
  );
  return inverse.map((row) => row.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0));
}

/** Diagonal of the inverse of J^T J: variances of the coefficients, in units of the residual's. */
export function coefficientVariances(rows: Rows): number[] | undefined {
  return invert(normal(rows, 0))?.map((row, i) => row[i] ?? 0);
}

function normal(rows: Rows, damping: number): number[][] {
  const size = rows[0]?.length ?? 0;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) => {
      const sum = rows.reduce((total, row) => total + (row[i] ?? 0) * (row[j] ?? 0), 0);
      return i === j ? sum * (1 + damping) : sum;
    }),
  );
}

/** Gauss-Jordan with pivots, on a matrix scaled to a unit diagonal; undefined when it has no inverse. */
function invert(matrix: Rows): number[][] | undefined {
  const size = matrix.length;
  const scale = matrix.map((row, i) => 1 / Math.sqrt(row[i] ?? 1));
  const work = matrix.map((row, i) => [
    ...row.map((value, j) => value * (scale[i] ?? 1) * (scale[j] ?? 1)),
    ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
  ]);
  for (let column = 0; column < size; column++) if (!eliminate(work, column)) return undefined;
  return work.map((row, i) => row.slice(size).map((value, j) => value * (scale[i] ?? 1) * (scale[j] ?? 1)));
}

/** Makes a column that of the unit matrix; false when all that is left of it is rounding. */
function eliminate(work: number[][], column: number): boolean {
  const pivot = work
    .map((row, index) => ({ index, size: Math.abs(row[column] ?? 0) }))
    .slice(column)
    .reduce((a, b) => (b.size > a.size ? b : a));
  if (!(pivot.size > 1e-14)) return false;
  const [from, to] = [work[pivot.index] ?? [], work[column] ?? []];
  [work[column], work[pivot.index]] = [from, to];
  const divisor = from[column] ?? 1;
  for (let j = 0; j < from.length; j++) from[j] = (from[j] ?? 0) / divisor;
  for (const [index, row] of work.entries()) {
    const factor = row[column] ?? 0;
    if (index === column || factor === 0) continue;
    for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) - factor * (from[j] ?? 0);
  }
  return true;
}
