/**
 * A figure: a number that can say where it comes from.
 *
 * Every number that the planner prints is one. It carries its formula in words, the inputs that went into it and,
 * where it is not plain arithmetic, its source; `--explain` prints these, JSON hands them on unchanged.
 */
import { formatNumber, type Unit } from "./unit.ts";

/** One number that went into a figure. */
export interface FigureInput {
  /** As the formula calls it: "users". */
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
}

/** A number with its name, unit and origin. */
export interface Figure {
  readonly kind: "figure";
  /** Stable name for scripts, in camel case and unique within a report: "readsPeak". */
  readonly key: string;
  /** What people read: "reads per second at peak". */
  readonly label: string;
  readonly value: number;
  readonly unit: Unit;
  /** In the names of the inputs: "users x reads per user / 86,400 s x peak". */
  readonly formula: string;
  readonly inputs: readonly FigureInput[];
  /** Book, paper or RFC; absent for plain arithmetic. */
  readonly source?: string;
  /** Significant digits that are printed; the unit's own unless set. */
  readonly digits?: number;
}

/** What `figure` is told: all of a `Figure` but what can be left out. */
export interface FigureParts {
  readonly key: string;
  readonly label: string;
  readonly value: number;
  readonly unit: Unit;
  readonly formula: string;
  readonly inputs?: readonly (readonly [name: string, value: number, unit: Unit])[];
  readonly source?: string;
  readonly digits?: number;
}

/** Makes a figure. Throws `RangeError` for NaN: that is a bug in a formula, never an answer. */
export function figure({ inputs = [], ...parts }: FigureParts): Figure {
  if (Number.isNaN(parts.value)) throw new RangeError(`planner: ${parts.key} is not a number`);
  return {
    kind: "figure",
    ...parts,
    inputs: inputs.map(([name, value, unit]) => ({ name, value, unit })),
  };
}

/** One of several figures: key, label, value, unit, formula, and what it has of its own. */
export type FigureRow = readonly [
  key: string,
  label: string,
  value: number,
  unit: Unit,
  formula: string,
  own?: Pick<FigureParts, "inputs" | "source" | "digits">,
];

/** Figures that share inputs and source, unless one has its own. */
export function figures(
  rows: readonly FigureRow[],
  common: Pick<FigureParts, "inputs" | "source" | "digits"> = {},
): Figure[] {
  return rows.map(([key, label, value, unit, formula, own]) =>
    figure({ key, label, value, unit, formula, ...common, ...own }),
  );
}

/** The number as people read it, with its unit: "11,574/s", "99.93 %", "2.5 ms". */
export function formatFigure({ value, unit, digits }: Figure): string {
  return formatNumber(value, unit, digits);
}
