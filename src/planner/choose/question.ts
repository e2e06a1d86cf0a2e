/**
 * A question: which facts it reads, and a pure function from these to a verdict. A new one is one file and one row.
 *
 * A verdict names the numbers that made it, each beside the threshold that it was compared with and the argument for
 * that threshold, and what is given up by it. What would change it is not written down: `turns.ts` finds it by asking
 * the same function with other facts.
 */
import { type Figure, type FigureInput, figure } from "../report/figure.ts";
import type { Section } from "../report/report.ts";
import type { Unit } from "../report/unit.ts";
import type { FactName, Facts } from "./facts.ts";

/** A number that was compared with a threshold. */
export interface NumberTrigger {
  readonly kind: "number";
  readonly key: string;
  readonly what: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: Unit;
  /** How the value came about, in the names of its inputs. */
  readonly formula: string;
  readonly inputs?: readonly (readonly [FigureInput["name"], number, Unit])[];
  /** Of the formula. */
  readonly source?: string;
  /** Why the threshold is where it is. */
  readonly because: string;
  /** Of the threshold. */
  readonly becauseSource?: string;
}

/** A fact without a number that decided. */
export interface WordTrigger {
  readonly kind: "word";
  readonly what: string;
  readonly is: string;
  /** What it would have to be. */
  readonly wanted: string;
  readonly because: string;
}

/** What decided. */
export type Trigger = NumberTrigger | WordTrigger;

/** The answer to one question. */
export interface Verdict {
  /** Stable word for scripts: "several". */
  readonly choice: string;
  /** The choice as a sentence without its full stop; begins with what people call it. */
  readonly answer: string;
  readonly triggers: readonly Trigger[];
  /** What is given up by it. */
  readonly tradeOff: string;
  /** Sentences that the answer needs beyond that. */
  readonly more?: readonly string[];
}

/** One question, for facts `K`. */
export interface Question<K extends FactName = FactName> {
  /** "one bigger server, or several". */
  readonly asks: string;
  readonly reads: readonly K[];
  readonly decide: (facts: Pick<Facts, K>) => Verdict;
  /** Tables and plots of its own. */
  readonly sections?: (facts: Pick<Facts, K>) => readonly Section[];
}

/** Makes a question whose rule can read the facts that it names, and no others. */
export function question<const K extends FactName>(parts: Question<K>): Question {
  return parts;
}

/** Whether the number is at or above its threshold, or the fact as it would have to be. */
export function met(trigger: Trigger): boolean {
  return trigger.kind === "number" ? trigger.value >= trigger.threshold : trigger.is === trigger.wanted;
}

/** Value and threshold as figures, for a table. */
export function figuresOf({ because, ...trigger }: NumberTrigger): readonly [Figure, Figure] {
  const { key, what, value, threshold, unit, formula, inputs = [], source, becauseSource } = trigger;
  return [
    figure({ key, label: what, value, unit, formula, inputs, ...(source === undefined ? {} : { source }) }),
    figure({
      key: `${key}Threshold`,
      label: `threshold of ${what}`,
      value: threshold,
      unit,
      formula: because,
      ...(becauseSource === undefined ? {} : { source: becauseSource }),
    }),
  ];
}
