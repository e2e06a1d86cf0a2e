/** Where the numbers of a report come from, in words: name, value, formula, inputs, source. */
import { type Figure, formatFigure } from "./figure.ts";
import { formatNumber } from "./unit.ts";

/** The lines about one figure; the first stands alone, the others are indented under it. */
export function explainFigure(figure: Figure): string[] {
  const inputs = figure.inputs.map(({ name, value, unit }) => `${name} = ${formatNumber(value, unit)}`);
  return [
    `${figure.label}: ${formatFigure(figure)}`,
    `  = ${figure.formula}`,
    ...(inputs.length === 0 ? [] : [`  with ${inputs.join(", ")}`]),
    ...(figure.source === undefined ? [] : [`  after ${figure.source}`]),
  ];
}
