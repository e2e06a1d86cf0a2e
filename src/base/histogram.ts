/**
 * A latency histogram over cells that the caller owns: log-linear, as in HdrHistogram (Gil Tene).
 *
 * Values are whole microseconds. Those below 64 have a cell each; from there every octave [2^k, 2^(k+1)) is cut into
 * 32 equal cells, up to 2^36 us (19 hours). A cell is at most 1/32 as wide as its values, and a quantile answers its
 * middle, so the error is at most 1.6 %. The cells are one run inside any typed array, so that a histogram can live
 * in memory shared between processes: one writer, many readers, no locks. Merging is adding.
 */

/** Cells of counts. A Uint32Array counts to 4.29 thousand million per cell and then wraps; a Float64Array to 2^53. */
export type HistogramCells = Uint32Array | Float64Array;

/** Values below this have a cell of their own. */
const EXACT = 64;
/** Cells per octave above that: the least power of two that keeps the error under 3 %. */
const PER_OCTAVE = 32;
/** Octaves above the exact part: 2^6 .. 2^36. */
const OCTAVES = 30;
/** Largest value that is told apart; larger ones count as this. */
const VALUE_US_MAX = 2 ** 36 - 1;

/** Cells that one histogram takes: 1024. */
export const HISTOGRAM_SIZE: number = EXACT + OCTAVES * PER_OCTAVE;

/** Counts one value, rounded to a whole microsecond; what is not above 0 counts as 0. O(1), allocates nothing. */
export function record(cells: HistogramCells, offset: number, valueUs: number): void {
  // Written so that NaN is 0: as an index it would land in somebody else's histogram.
  const wholeUs = valueUs > 0 ? Math.min(VALUE_US_MAX, Math.round(valueUs)) : 0;
  const at = offset + cellOf(wholeUs);
  cells[at] = (cells[at] ?? 0) + 1;
}

/** The value in microseconds that the share `q` (0..1) of the values do not exceed; 0 when there are none. */
export function quantile(cells: HistogramCells, offset: number, q: number): number {
  const rank = Math.max(1, Math.ceil(q * count(cells, offset)));
  let seen = 0;
  for (let cell = 0; cell < HISTOGRAM_SIZE; cell++) {
    seen += cells[offset + cell] ?? 0;
    if (seen >= rank) return middleOf(cell);
  }
  return 0;
}

/** How many values were recorded. Like every reading of a whole histogram: O(cells). */
export function count(cells: HistogramCells, offset: number): number {
  let total = 0;
  for (let cell = 0; cell < HISTOGRAM_SIZE; cell++) total += cells[offset + cell] ?? 0;
  return total;
}

/** How many values are at most `limitUs`, to the accuracy of a cell: the cumulative buckets of a metric. */
export function countUpTo(cells: HistogramCells, offset: number, limitUs: number): number {
  if (limitUs < 0) return 0;
  const last = cellOf(Math.min(VALUE_US_MAX, Math.floor(limitUs)));
  let total = 0;
  for (let cell = 0; cell <= last; cell++) total += cells[offset + cell] ?? 0;
  return total;
}

/** Sum of the values in microseconds, each taken as the middle of its cell. */
export function sum(cells: HistogramCells, offset: number): number {
  let total = 0;
  for (let cell = 0; cell < HISTOGRAM_SIZE; cell++) total += (cells[offset + cell] ?? 0) * middleOf(cell);
  return total;
}

/** Adds one histogram to another. */
export function merge(
  into: HistogramCells,
  intoOffset: number,
  from: HistogramCells,
  fromOffset: number,
): void {
  for (let cell = 0; cell < HISTOGRAM_SIZE; cell++) {
    into[intoOffset + cell] = (into[intoOffset + cell] ?? 0) + (from[fromOffset + cell] ?? 0);
  }
}

/** Octaves look alike at every scale, so a value beyond 32 bits takes the cell of value/16, four octaves up. */
function cellOf(valueUs: number): number {
  if (valueUs < EXACT) return valueUs;
  if (valueUs >= 2 ** 32) return cellOf(valueUs / 16) + 4 * PER_OCTAVE;
  const exponent = 31 - Math.clz32(valueUs);
  return EXACT + (exponent - 6) * PER_OCTAVE + ((valueUs >>> (exponent - 5)) & (PER_OCTAVE - 1));
}

/** The middle of the whole numbers that share a cell. */
function middleOf(cell: number): number {
  if (cell < EXACT) return cell;
  const octave = Math.floor((cell - EXACT) / PER_OCTAVE);
  const width = 2 ** (octave + 1);
  const lowest = (PER_OCTAVE + ((cell - EXACT) % PER_OCTAVE)) * width;
  return lowest + (width - 1) / 2;
}
