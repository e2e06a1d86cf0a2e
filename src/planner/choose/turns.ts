/**
 * What would change an answer: for each fact the nearest value at which the same rule chooses otherwise.
 *
 * Found by asking the rule: steps away from the fact on a scale of its own, then halving between the last step that
 * changed nothing and the first that did. So it is right for every rule, and cannot be forgotten when one changes.
 */
import { DEFAULT_FACTS, FACTS, type FactName, type Facts } from "./facts.ts";
import type { Question } from "./question.ts";

/** One fact that would change the answer. */
export interface Turn {
  readonly fact: FactName;
  /** The nearest value at which the choice is another one. */
  readonly at: number | string | boolean;
  /** That choice. */
  readonly choice: string;
  /** How far away it is: 2 = twice or half of what it is now. 1 for words. */
  readonly factor: number;
}

/** Farther than this a fact is not a guess any more but another app. */
const FACTOR_MAX = 1e4;

/** Steps in which a fact doubles: an answer that lasts for less than a third of a doubling may be stepped over. */
const STEPS = 3;

const HALVINGS = 40;

/** A scale on which a fact is moved: equal steps are equal surprises. */
interface Scale {
  readonly place: (value: number) => number;
  readonly valueAt: (place: number) => number;
  /** Bounds of the places. */
  readonly reach: (value: number) => readonly [low: number, high: number];
}

const LOG: Scale = {
  place: (value) => Math.log2(value),
  valueAt: (place) => 2 ** place,
  reach: (value) => [Math.log2(value / FACTOR_MAX), Math.log2(value * FACTOR_MAX)],
};

/** Shares are moved by their odds; what is 0 or 1 begins a little inside. */
const ODDS: Scale = {
  place: (value) => Math.log2(within(value) / (1 - within(value))),
  valueAt: (place) => 1 / (1 + 2 ** -place),
  reach: () => [-EDGE, EDGE],
};

/** Odds of a million to one. */
const EDGE = 20;

function within(share: number): number {
  return Math.min(1 - 2 ** -EDGE, Math.max(2 ** -EDGE, share));
}

/** Every fact of the question that would change its answer, the nearest first. */
export function turnsOf(question: Question, facts: Facts): Turn[] {
  const { choice } = question.decide(facts);
  return question.reads
    .flatMap((fact) => turnOf(question, facts, fact, choice) ?? [])
    .toSorted((a, b) => a.factor - b.factor);
}

function turnOf(question: Question, facts: Facts, fact: FactName, choice: string): Turn | undefined {
  const ask = (value: Turn["at"]): string => question.decide({ ...facts, [fact]: value }).choice;
  const now = facts[fact];
  const { unit } = FACTS[fact];
  if (typeof now === "number") return numberTurn(fact, now, ask, choice);
  const others = typeof unit === "string" ? [!now] : unit;
  if (unit === "operations") return undefined;
  const at = others.find((other) => ask(other) !== choice);
  return at === undefined ? undefined : { fact, at, choice: ask(at), factor: 1 };
}

function numberTurn(
  fact: FactName,
  now: number,
  ask: (value: number) => string,
  choice: string,
): Turn | undefined {
  const { unit, whole } = FACTS[fact];
  const scale = unit === "share" || unit === "availability" ? ODDS : LOG;
  const valueAt = (place: number): number => {
    const value = scale.valueAt(place);
    return whole === true ? Math.max(1, Math.round(value)) : value;
  };
  const turned = (place: number): boolean => ask(valueAt(place)) !== choice;
  const from = scale.place(now === 0 ? startOf(fact) : now);
  const place = nearestTurn(turned, from, scale.reach(scale.valueAt(from)), now === 0 && scale === LOG);
  if (place === undefined) return undefined;
  const at = valueAt(place);
  return { fact, at, choice: ask(at), factor: 2 ** Math.abs(place - from) };
}

/** On both sides; from nothing there is only up, from as little as is told. */
function nearestTurn(
  turned: (place: number) => boolean,
  from: number,
  [low, high]: readonly [low: number, high: number],
  upwards: boolean,
): number | undefined {
  if (upwards) return firstTurn(turned, low, 1, high);
  return [firstTurn(turned, from, -1, low), firstTurn(turned, from, 1, high)]
    .filter((place) => place !== undefined)
    .toSorted((a, b) => Math.abs(a - from) - Math.abs(b - from))[0];
}

/** What a fact that is 0 is measured against: its default, or 1. */
function startOf(fact: FactName): number {
  const fallback = DEFAULT_FACTS[fact];
  return typeof fallback === "number" && fallback > 0 ? fallback : 1;
}

/** The place nearest to `from` on that side that turned, or undefined up to `end`. */
function firstTurn(
  turned: (place: number) => boolean,
  from: number,
  side: number,
  end: number,
): number | undefined {
  const count = Math.floor(Math.abs(end - from) * STEPS);
  for (let step = 1; step <= count; step++) {
    const place = from + (side * step) / STEPS;
    if (turned(place)) return between(turned, place - side / STEPS, place);
  }
  return undefined;
}

/** Halves until the turn is known to a millionth. */
function between(turned: (place: number) => boolean, before: number, after: number): number {
  let [low, high] = [before, after];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (turned(middle)) high = middle;
    else low = middle;
  }
  return high;
}
