/**
 * Shapes: the small vocabulary in which the schema is written.
 *
 * A shape knows what a user may write (`expected`, which completes "write …") and reads it: it returns what the
 * value means, or reports a problem and returns undefined. Reading never stops at the first problem. An object
 * shape is a table of rows, key -> shape; the same table finds unknown keys and the nearest known one.
 */
import { nearest, nearestMend } from "./nearest.ts";
import { below, type Place, report } from "./problem.ts";

/** How one value is written and what it means. */
export interface Shape<T> {
  /** Completes "write …": `a whole number from 1 to 32`. */
  readonly expected: string;
  /** The meaning of `input`, or undefined after reporting why there is none. */
  readonly read: (input: unknown, place: Place) => T | undefined;
  /** A second spelling under another key: `interval: "1s"` for `intervalMs: 1000`. */
  readonly spelling?: { readonly keyOf: (key: string) => string; readonly shape: Shape<T> };
}

/** Key -> shape, one row for each key that a draft of type T may hold. */
export type Rows<T> = { readonly [K in keyof T]-?: Shape<Exclude<T[K], undefined>> };

/** What an object shape demands beyond its rows. */
export interface ObjectRules<T> {
  readonly required?: readonly (keyof T & string)[];
  /** Exactly one of these keys must be there. */
  readonly exactlyOne?: readonly (keyof T & string)[];
  /** At least one of these keys must be there. */
  readonly someOf?: readonly (keyof T & string)[];
  /** Keys of the design that this version does not serve yet: known, and refused with that reason. */
  readonly later?: readonly string[];
  /** Rules between the keys of this one object. */
  readonly check?: (draft: T, place: Place) => void;
}

/** The sort of a value in a user's words. */
export type Sort = "string" | "number" | "boolean" | "list" | "object" | "nothing" | "function" | "other";

/** Which sort `input` is. Only plain objects are "object": a RegExp or a Date in a config is a mistake. */
export function sortOf(input: unknown): Sort {
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return "list";
  if (typeof input === "object") return isPlain(input) ? "object" : "other";
  if (typeof input === "bigint" || typeof input === "symbol") return "other";
  return typeof input === "number" && Number.isNaN(input) ? "other" : (typeof input as Sort);
}

function isPlain(input: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Longest piece of a user's text that a problem repeats. */
const SHOWN_MAX = 40;

/** `input` in words: `the string "two"`, `a list`, `empty`. */
function describe(input: unknown): string {
  const sort = sortOf(input);
  if (sort === "string") return `the string ${quote(input as string)}`;
  if (sort === "number" || sort === "boolean") return String(input);
  if (sort === "nothing") return "empty";
  if (sort === "object") return "an object";
  return sort === "other" ? describeOther(input) : `a ${sort}`;
}

function describeOther(input: unknown): string {
  if (typeof input !== "object" || input === null)
    return `a ${typeof input === "number" ? "NaN" : typeof input}`;
  return `a ${input.constructor?.name ?? "special object"}`;
}

/** `text` in quotes, shortened when long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
}

/** A value without parts. `parse` may report a precise problem itself; undefined without a report gets the general one. */
export function leaf<T>(
  expected: string,
  sort: Sort,
  parse: (input: never, place: Place) => T | undefined,
): Shape<T> {
  const read = (input: unknown, place: Place): T | undefined => {
    const reported = place.problems.length;
    const value = sortOf(input) === sort ? parse(input as never, place) : undefined;
    if (value === undefined && place.problems.length === reported) refuse(input, expected, place);
    return value;
  };
  return { expected, read };
}

function refuse(input: unknown, expected: string, place: Place): undefined {
  return report(place, `is ${describe(input)}`, `write ${expected}`);
}

/** A value of `shape`, turned into something else. */
export function mapped<A, B>(shape: Shape<A>, turn: (value: A) => B): Shape<B> {
  const read = (input: unknown, place: Place): B | undefined => {
    const value = shape.read(input, place);
    return value === undefined ? undefined : turn(value);
  };
  return { expected: shape.expected, read };
}

/** Several ways to write one thing, told apart by the sort of the value. */
export function bySort<T>(shapes: { readonly [S in Sort]?: Shape<T> }, expected?: string): Shape<T> {
  const all =
    expected ??
    Object.values(shapes)
      .map((shape) => shape.expected)
      .join(" or ");
  return {
    expected: all,
    read: (input, place) => {
      const shape = shapes[sortOf(input)];
      return shape ? shape.read(input, place) : refuse(input, all, place);
    },
  };
}

/** A list of up to `max` items. Items that cannot be read are left out, after their report. */
export function list<T>(
  item: Shape<T>,
  max: number,
  min = 0,
  expected = `a list, each ${item.expected}`,
): Shape<readonly T[]> {
  return leaf(expected, "list", (input: readonly unknown[], place) => {
    if (input.length < min) return report(place, "is an empty list", `write ${expected}`);
    if (input.length > max) return report(place, `has ${input.length} items`, `keep to ${max}`);
    const read = input.map((value, index) => item.read(value, below(place, index)));
    return read.filter((value) => value !== undefined);
  });
}

/** One item or a list of alternatives. */
export function oneOrMore<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  const many = list(item, max, 1);
  return {
    expected: `${item.expected}, or a list of them`,
    read: (input, place) => {
      if (sortOf(input) === "list") return many.read(input, place);
      const one = item.read(input, place);
      return one === undefined ? undefined : [one];
    },
  };
}

/** Things by name. `name` reads each key; a thing that cannot be read keeps its place if its shape returns a draft. */
export function named<T>(name: Shape<string>, item: Shape<T>, max: number): Shape<ReadonlyMap<string, T>> {
  return leaf(
    `an object of names, each ${item.expected}`,
    "object",
    (input: Record<string, unknown>, place) => {
      const entries = Object.entries(input).filter(([, value]) => value !== undefined);
      if (entries.length > max) return report(place, `has ${entries.length} entries`, `keep to ${max}`);
      const things = new Map<string, T>();
      for (const [key, value] of entries) {
        const at = below(place, key);
        const thing = item.read(value, at);
        const known = name.read(key, at);
        if (known !== undefined && thing !== undefined) things.set(known, thing);
      }
      return things;
    },
  );
}

interface Spelling {
  readonly key: string;
  readonly shape: Shape<unknown>;
}

/** An object with known keys. Always gives a draft, however empty, so that what refers to it is still checked. */
export function object<T extends object>(rows: Rows<T>, rules: ObjectRules<T> = {}): Shape<T> {
  const spellings = spellingsOf(rows);
  const expected = `an object with ${(rules.required ?? rules.exactlyOne ?? Object.keys(rows).slice(0, 3)).join(", ")}`;
  return {
    expected,
    read: (input, place) => {
      if (sortOf(input) !== "object") {
        refuse(input, expected, place);
        return {} as T;
      }
      const given = readKeys(input as Record<string, unknown>, spellings, rules.later ?? [], place);
      demand(rules, spellings, given, place);
      rules.check?.(given.draft as T, place);
      return given.draft as T;
    },
  };
}

function spellingsOf(rows: Readonly<Record<string, Shape<unknown>>>): ReadonlyMap<string, Spelling> {
  const spellings = new Map<string, Spelling>();
  for (const [key, shape] of Object.entries(rows)) {
    if (shape.spelling) spellings.set(shape.spelling.keyOf(key), { key, shape: shape.spelling.shape });
    spellings.set(key, { key, shape });
  }
  return spellings;
}

interface Given {
  readonly draft: Record<string, unknown>;
  /** Keys that were written, even if what they hold could not be read. */
  readonly keys: Set<string>;
  /** Keys that a mistyped one was probably meant for: they are not missing as well. */
  readonly meant: Set<string>;
}

function readKeys(
  input: Record<string, unknown>,
  spellings: ReadonlyMap<string, Spelling>,
  later: readonly string[],
  place: Place,
): Given {
  const given: Given = { draft: {}, keys: new Set(), meant: new Set() };
  for (const [written, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const at = below(place, written);
    const spelling = spellings.get(written);
    if (spelling) readKey(spelling, value, given, at);
    else if (later.includes(written)) report(at, "is not available in this version", "remove it");
    else {
      reportStrange(written, spellings, at);
      given.meant.add(meantBy(written, spellings));
    }
  }
  return given;
}

function readKey({ key, shape }: Spelling, value: unknown, { draft, keys }: Given, at: Place): void {
  if (keys.has(key)) {
    report(at, "is given twice, with and without its unit", "keep one of the two");
    return;
  }
  keys.add(key);
  const meaning = shape.read(value, at);
  if (meaning !== undefined) draft[key] = meaning;
}

function reportStrange(key: string, spellings: ReadonlyMap<string, Spelling>, at: Place): void {
  // The spelling with a unit is the one that people use; the other would double the list.
  const listed = [...spellings].filter(([written, row]) => written !== row.key || !row.shape.spelling);
  const mend = nearestMend(
    key,
    [...spellings.keys()],
    "key",
    listed.map(([written]) => written),
  );
  report(at, "is not a known key", mend);
}

function meantBy(written: string, spellings: ReadonlyMap<string, Spelling>): string {
  return spellings.get(nearest(written, spellings.keys()) ?? "")?.key ?? written;
}

function demand<T>(
  rules: ObjectRules<T>,
  spellings: ReadonlyMap<string, Spelling>,
  { keys, meant }: Given,
  place: Place,
): void {
  const missing = (key: string): boolean => !keys.has(key) && !meant.has(key);
  for (const key of (rules.required ?? []).filter(missing))
    report(place, `has no ${key}`, `write ${key}: ${spellings.get(key)?.shape.expected}`);
  const some = rules.someOf ?? rules.exactlyOne ?? [];
  if (some.length > 0 && some.every(missing))
    report(place, `has none of ${some.join(", ")}`, "write one of them");
  const given = (rules.exactlyOne ?? []).filter((key) => keys.has(key));
  if (given.length > 1) report(place, `has ${given.join(" and ")}`, "keep one of them");
}
