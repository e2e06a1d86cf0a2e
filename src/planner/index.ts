/**
 * Door of `planner`: estimates, availability, queueing, simulation and choices; pure, so it also runs in a browser.
 *
 * Each answers with a `Report`, whose every number carries its formula and inputs.
 */

export * from "./availability/index.ts";
export * from "./cache-cost/index.ts";
export * from "./choose/index.ts";
export * from "./estimate/index.ts";
export { readObjective } from "./objective.ts";
export type { Outcome } from "./outcome.ts";
export {
  COUNT_MAX,
  type QuantityPlace,
  readBytes,
  readCount,
  readDuration,
  readRate,
  readShare,
  readWhole,
} from "./quantity.ts";
export * from "./queueing/index.ts";
export { plotCsv, tableCsv } from "./report/csv.ts";
export { explainFigure } from "./report/explain.ts";
export { type Figure, type FigureInput, formatFigure } from "./report/figure.ts";
export { type Json, toJson } from "./report/json.ts";
export { toMarkdown } from "./report/markdown.ts";
export {
  type Axis,
  type Cell,
  type Column,
  figuresOf,
  type Notes,
  type Plot,
  type Report,
  type Section,
  type Series,
  type Table,
} from "./report/report.ts";
export { svgPlot } from "./report/svg-plot.ts";
export { PLOT_SIZE, type PlotSize, terminalPlot } from "./report/terminal-plot.ts";
export { formatNumber, UNITS, type Unit } from "./report/unit.ts";
export * from "./simulate/index.ts";
