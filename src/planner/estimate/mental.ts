/**
 * The same figures as one reckons them in one's head: every number to one digit, every factor that is awkward to a
 * round one. What was rounded is kept, so that the reader sees where the error comes from.
 */
import { formatNumber, type Unit } from "../report/unit.ts";

/** A number reckoned in one's head. */
export interface Mental {
  readonly value: number;
  /** How: "100 G / 10^5". */
  readonly words: string;
  /** What was rounded on the way: "86,400 -> 10^5". */
  readonly rounded: readonly string[];
}

/** Seconds of a day. */
export const DAY_IN_HEAD: Mental = { value: 1e5, words: "10^5", rounded: ["86,400 -> 10^5"] };
/** Days of a year. */
export const YEAR_IN_HEAD: Mental = { value: 400, words: "400", rounded: ["365 -> 400"] };
/** Bits of a byte. */
export const BITS_IN_HEAD: Mental = { value: 10, words: "10", rounded: ["8 -> 10"] };

/** One digit of it and a power of ten. */
export function inHead(value: number, unit: Unit): Mental {
  const near = Number(value.toPrecision(1));
  const [words, exactly] = [formatNumber(near, unit, 2), formatNumber(value, unit, 4)];
  return { value: near, words, rounded: words === exactly ? [] : [`${exactly} -> ${words}`] };
}

/** As it is: a number that nobody rounds, such as the cores of a server. */
export function asItIs(value: number, unit: Unit): Mental {
  return { value, words: formatNumber(value, unit), rounded: [] };
}

/** The product. */
export function times(...factors: readonly Mental[]): Mental {
  return {
    value: factors.reduce((product, { value }) => product * value, 1),
    words: factors.map(({ words }) => words).join(" x "),
    rounded: roundedIn(factors),
  };
}

/** The quotient. */
export function over(dividend: Mental, divisor: Mental): Mental {
  return {
    value: dividend.value / divisor.value,
    words: `${dividend.words} / ${divisor.words}`,
    rounded: roundedIn([dividend, divisor]),
  };
}

/** The sum. */
export function plus(...terms: readonly Mental[]): Mental {
  return {
    value: terms.reduce((sum, { value }) => sum + value, 0),
    words: terms.map(({ words }) => words).join(" + "),
    rounded: roundedIn(terms),
  };
}

/** The same, to be multiplied as a whole. */
export function inBrackets(sum: Mental): Mental {
  return { ...sum, words: `(${sum.words})` };
}

/** How far it is from the exact figure, as a share of that; undefined beside nothing. */
export function errorOf({ value }: Mental, exact: number): number | undefined {
  return exact === 0 ? undefined : value / exact - 1;
}

function roundedIn(parts: readonly Mental[]): string[] {
  return [...new Set(parts.flatMap(({ rounded }) => rounded))];
}
