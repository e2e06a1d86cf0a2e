/**
 * A verdict: what to choose, the numbers that say so, what it costs, and what would change it.
 *
 * Every rule has a threshold with an argument; the number that met it is named beside it, and so is how far away the
 * nearest other answer is. Facts that were assumed are told, since one of them may be wrong.
 */
import { type Figure, figure } from "../report/figure.ts";
import type { Unit } from "../report/unit.ts";

/** A number that was compared with a threshold. */
export interface Trigger {
  readonly what: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: Unit;
  /** Why the threshold is where it is. */
  readonly because: string;
}

/** The answer to one question. */
export interface Verdict {
  readonly question: string;
  readonly choice: string;
  readonly triggers: readonly Trigger[];
  /** What is given up by it. */
  readonly tradeOff: string;
  /** When another answer would be right, in a sentence. */
  readonly otherwise: string;
}

/** Whether the number is at or above its threshold. */
export function reached({ value, threshold }: Trigger): boolean {
  return value >= threshold;
}

/** The value and the threshold as figures, for a table. */
export function figuresOfTrigger(
  { what, value, threshold, unit, because }: Trigger,
  key: string,
): readonly [Figure, Figure] {
  return [
    figure({ key, label: what, value, unit, formula: "given, or assumed: see below" }),
    figure({
      key: `${key}Threshold`,
      label: `threshold of ${what}`,
      value: threshold,
      unit,
      formula: because,
    }),
  ];
}
