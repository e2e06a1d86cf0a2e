/**
 * A plot as lines of text: one mark per series, so that it reads the same without colours.
 *
 *    200 |            **
 *        |        ****
 *    100 |--------------- objective
 *        |  ****
 *      0 +----------------
 *        0               10
 */
import type { Plot, Series } from "./report.ts";
import { type Scale, scaleFor } from "./scale.ts";

/** Size of the area between the axes, in characters. */
export interface PlotSize {
  readonly columns: number;
  readonly rows: number;
}

/** Fits a terminal of 80 columns with its labels; odd, so that there is a middle row and column. */
export const PLOT_SIZE: PlotSize = { columns: 61, rows: 13 };

/** Marks of the series, in order; more series share them from the start. */
const MARKS = ["*", "o", "x", "+", "#", "@", "%", "&"];

/** A tick is written in this many significant digits. */
const TICK_DIGITS = 3;

/** The plot, its title above, its legend below when there is more than one series. */
export function terminalPlot(plot: Plot, size: PlotSize = PLOT_SIZE): string[] {
  const points = plot.series.flatMap((series) => series.points).filter(([, y]) => Number.isFinite(y));
  const marked = plot.mark === undefined ? [] : [plot.mark.y];
  const x = scaleFor(
    plot.x,
    points.map(([value]) => value),
  );
  const y = scaleFor(plot.y, [...points.map(([, value]) => value), ...marked]);
  const grid = Array.from({ length: size.rows }, () => Array.from({ length: size.columns }, () => " "));
  if (plot.mark !== undefined) drawMark(grid, plot.mark.label, rowOf(plot.mark.y, y, size));
  for (const [index, series] of plot.series.entries()) draw(grid, series, markOf(index), { x, y, size });
  const labels = rowLabels(y, size.rows);
  return [
    plot.title,
    ...framed(grid, labels, plot.y.label),
    footer(x, size.columns, labels, plot.x.label),
    ...legend(plot),
  ];
}

interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly size: PlotSize;
}

function draw(grid: string[][], { points }: Series, mark: string, { x, y, size }: Frame): void {
  let before: number | undefined;
  for (let column = 0; column < size.columns; column++) {
    const value = interpolate(points, x.valueAt(column / (size.columns - 1)));
    const row = Number.isFinite(value) ? rowOf(value, y, size) : undefined;
    if (row !== undefined) stroke(grid, { column, from: before ?? row, to: row, mark });
    before = row;
  }
  for (const [at, value] of points) {
    const row = Number.isFinite(value) ? rowOf(value, y, size) : undefined;
    const cells = row === undefined ? undefined : grid[row];
    if (cells !== undefined) cells[Math.round(x.place(at) * (size.columns - 1))] = mark;
  }
}

interface Stroke {
  readonly column: number;
  readonly from: number;
  readonly to: number;
  readonly mark: string;
}

/** A steep line is drawn through, so that it does not fall into pieces. */
function stroke(grid: string[][], { column, from, to, mark }: Stroke): void {
  const [top, bottom] = [Math.min(from, to), Math.max(from, to)];
  for (let row = top; row <= bottom; row++) if (row !== from || from === to) setCell(grid, row, column, mark);
}

function setCell(grid: string[][], row: number, column: number, mark: string): void {
  const cells = grid[row];
  if (cells !== undefined && cells[column] !== undefined) cells[column] = mark;
}

/** Row 0 is the top. What lies beyond the axis is drawn at its edge. */
function rowOf(value: number, y: Scale, { rows }: PlotSize): number {
  const place = Math.min(1, Math.max(0, y.place(value)));
  return Math.round((1 - place) * (rows - 1));
}

/** Between two points, a straight line; outside of all, nothing. */
function interpolate(points: Series["points"], at: number): number {
  const after = points.findIndex(([x]) => x >= at);
  const [x1, y1] = points[after] ?? [Number.NaN, Number.NaN];
  const [x0, y0] = points[after - 1] ?? [x1, x1 === at ? y1 : Number.NaN];
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
}

/** Its words stand on the left: lines that matter tend to climb on the right. */
function drawMark(grid: string[][], label: string, row: number): void {
  const cells = grid[row];
  const text = `- ${label} `.padEnd(cells?.length ?? 0, "-");
  cells?.splice(0, cells.length, ...Array.from(text).slice(0, cells.length));
}

/** What the first, the middle and the last row are worth; all labels as wide as the widest. */
function rowLabels(y: Scale, rows: number): string[] {
  const last = rows - 1;
  const labelled = [0, Math.round(last / 2), last];
  const labels = Array.from({ length: rows }, (_, row) =>
    labelled.includes(row) ? tick(y.valueAt(1 - row / last)) : "",
  );
  const width = Math.max(...labels.map((label) => label.length));
  return labels.map((label) => label.padStart(width));
}

function framed(grid: readonly (readonly string[])[], labels: readonly string[], title: string): string[] {
  const margin = " ".repeat(labels[0]?.length ?? 0);
  const lines = grid.map((cells, row) => `${labels[row]} |${cells.join("")}`.trimEnd());
  return [`${margin} ${title}`, ...lines, `${margin} +${"-".repeat(grid[0]?.length ?? 0)}`];
}

/** Left, middle and right of the x axis, and what it counts. */
function footer(x: Scale, columns: number, labels: readonly string[], title: string): string {
  const [low = "", middle = "", high = ""] = [x.min, x.valueAt(0.5), x.max].map(tick);
  const left = `${low.padEnd(Math.floor((columns - middle.length) / 2))}${middle}`;
  const margin = " ".repeat((labels[0]?.length ?? 0) + 2);
  return `${margin}${left}${high.padStart(columns - left.length)}  ${title}`;
}

function legend({ series }: Plot): string[] {
  if (series.length < 2) return [];
  return [`  ${series.map(({ name }, index) => `${markOf(index)} ${name}`).join("   ")}`];
}

function markOf(index: number): string {
  return MARKS[index % MARKS.length] ?? "*";
}

function tick(value: number): string {
  const rounded = Number(value.toPrecision(TICK_DIGITS));
  if (Math.abs(rounded) >= 1e9 || (rounded !== 0 && Math.abs(rounded) < 1e-3)) return rounded.toExponential();
  return rounded.toLocaleString("en-US", { maximumSignificantDigits: TICK_DIGITS });
}
