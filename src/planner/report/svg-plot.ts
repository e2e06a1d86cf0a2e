/**
 * A plot as an SVG document: no script, no font of its own, every text escaped, so that it can stand in any page.
 */
import type { Plot, Series } from "./report.ts";
import { type Scale, scaleFor } from "./scale.ts";

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 72, right: 24, top: 40, bottom: 56 } as const;

/** Okabe and Ito's colours, told apart with any kind of colour vision ("Color Universal Design", 2008). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** Where a legend's entries begin and how far apart they are. */
const LEGEND = { x: MARGIN.left + 12, y: MARGIN.top + 16, step: 18 } as const;

/** One SVG document, 720 by 400. */
export function svgPlot(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points).filter(([, y]) => Number.isFinite(y));
  const marked = plot.mark === undefined ? [] : [plot.mark.y];
  const x = scaleFor(
    plot.x,
    points.map(([value]) => value),
  );
  const y = scaleFor(plot.y, [...points.map(([, value]) => value), ...marked]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 22, plot.title, 'text-anchor="middle" font-size="15"'),
    ...xAxis(x, plot.x.label),
    ...yAxis(y, plot.y.label),
    ...objective(plot.mark, y),
    ...plot.series.map((series, index) => line(series, colourOf(index), x, y)),
    ...legend(plot.series),
    "</svg>",
    "",
  ].join("\n");
}

function xAxis(x: Scale, label: string): string[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const ticks = x.ticks.flatMap((value) => [
    segment(xOf(value, x), MARGIN.top, xOf(value, x), bottom, "#e5e5e5"),
    text(xOf(value, x), bottom + 18, tick(value), 'text-anchor="middle"'),
  ]);
  return [...ticks, text((WIDTH + MARGIN.left) / 2, HEIGHT - 14, label, 'text-anchor="middle"')];
}

function yAxis(y: Scale, label: string): string[] {
  const ticks = y.ticks.flatMap((value) => [
    segment(MARGIN.left, yOf(value, y), WIDTH - MARGIN.right, yOf(value, y), "#e5e5e5"),
    text(MARGIN.left - 8, yOf(value, y) + 4, tick(value), 'text-anchor="end"'),
  ]);
  const middle = (HEIGHT + MARGIN.top - MARGIN.bottom) / 2;
  return [...ticks, text(16, middle, label, `text-anchor="middle" transform="rotate(-90 16 ${middle})"`)];
}

function objective(mark: Plot["mark"], y: Scale): string[] {
  if (mark === undefined) return [];
  const at = yOf(mark.y, y);
  return [
    segment(MARGIN.left, at, WIDTH - MARGIN.right, at, "#999999", ' stroke-dasharray="6 4"'),
    text(WIDTH - MARGIN.right, at - 6, mark.label, 'text-anchor="end" fill="#666666"'),
  ];
}

/** A gap in the points is a gap in the line. */
function line({ points }: Series, colour: string, x: Scale, y: Scale): string {
  let pen = "M";
  const path: string[] = [];
  for (const [at, value] of points) {
    const isDrawn = Number.isFinite(value) && Number.isFinite(y.place(value));
    if (isDrawn) path.push(`${pen}${xOf(at, x).toFixed(1)} ${yOf(value, y).toFixed(1)}`);
    pen = isDrawn ? "L" : "M";
  }
  return `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

function legend(series: readonly Series[]): string[] {
  if (series.length < 2) return [];
  return series.flatMap(({ name }, index) => {
    const at = LEGEND.y + index * LEGEND.step;
    return [
      segment(LEGEND.x, at - 4, LEGEND.x + 20, at - 4, colourOf(index), ' stroke-width="2"'),
      text(LEGEND.x + 26, at, name, ""),
    ];
  });
}

function segment(x1: number, y1: number, x2: number, y2: number, ...[colour, more = ""]: string[]): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${colour}"${more}/>`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escapeXml(words)}</text>`;
}

function xOf(value: number, x: Scale): number {
  return MARGIN.left + x.place(value) * (WIDTH - MARGIN.left - MARGIN.right);
}

function yOf(value: number, y: Scale): number {
  return HEIGHT - MARGIN.bottom - y.place(value) * (HEIGHT - MARGIN.top - MARGIN.bottom);
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? "#000000";
}

function tick(value: number): string {
  const isPlain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7);
  return isPlain ? value.toLocaleString("en-US", { maximumSignificantDigits: 6 }) : value.toExponential();
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
