/**
 * A latency histogram fine enough to compare with theory: 128 cells per octave, so a quantile is within 0.4 %.
 *
 * The cell is read off the bits of the double (exponent and the first seven bits of the fraction), so recording costs
 * two loads and an add whatever the value. Production's histogram is coarser and smaller; see base.
 */

/** Bits of the fraction that tell cells apart. */
const FRACTION_BITS = 7;

/** Octaves: from 2^-20 ms (one nanosecond) to 2^44 ms. */
const LOWEST_EXPONENT = -20;
const OCTAVES = 64;
const CELLS = OCTAVES << FRACTION_BITS;

/** The high word of a double, and its bias. */
const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);
const FIRST_CELL = (1023 + LOWEST_EXPONENT) << FRACTION_BITS;

/** Times that were recorded, in cells; sums are exact. */
export class Quantiles {
  readonly #cells = new Float64Array(CELLS);
  count = 0;
  sumMs = 0;
  sumOfSquares = 0;
  maxMs = 0;

  record(ms: number): void {
    bits[0] = ms;
    const cell = ((words[1] ?? 0) >>> (20 - FRACTION_BITS)) - FIRST_CELL;
    const at = cell < 0 ? 0 : cell >= CELLS ? CELLS - 1 : cell;
    this.#cells[at] = (this.#cells[at] ?? 0) + 1;
    this.count++;
    this.sumMs += ms;
    this.sumOfSquares += ms * ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** 0 when nothing was recorded. */
  get meanMs(): number {
    return this.count === 0 ? 0 : this.sumMs / this.count;
  }

  /** What the share `q` of the times do not exceed, ms; 0 when there are none. O(cells). */
  quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      seen += this.#cells[cell] ?? 0;
      if (seen >= rank) return Math.min(this.maxMs, middleOf(cell));
    }
    return 0;
  }

  clear(): void {
    this.#cells.fill(0);
    this.count = 0;
    this.sumMs = 0;
    this.sumOfSquares = 0;
    this.maxMs = 0;
  }
}

function middleOf(cell: number): number {
  const octave = 2 ** ((cell >> FRACTION_BITS) + LOWEST_EXPONENT);
  const place = (cell & ((1 << FRACTION_BITS) - 1)) + 0.5;
  return octave * (1 + place / (1 << FRACTION_BITS));
}
