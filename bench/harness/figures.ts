/** Medians, spreads, ratios, and how they are printed. */

/** The middle value and how far the rounds lay apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** Round by round `ours / theirs`: rounds that shared a noisy moment are compared with each other. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return spreadOf(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/** "0.83 (0.79-0.90)". */
export function showSpread({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

/** A figure that a promise rests on, and whether it was kept. */
export interface Verdict {
  readonly claim: string;
  readonly figure: string;
  readonly met: boolean;
}

/** One line, "met" or "MISSED" first. */
export function showVerdict({ claim, figure, met }: Verdict): string {
  return `${met ? "met   " : "MISSED"}  ${claim}: ${figure}`;
}

/** Columns padded to their widest cell; the first one to the left, the others to the right. */
export function showTable(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(width(0)) : text.padStart(width(column));
  return rows.map((row) => row.map(cell).join("  ")).join("\n");
}
