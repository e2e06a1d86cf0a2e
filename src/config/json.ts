/**
 * JSON (RFC 8259) with positions: what the runtime's parser refuses or passes over, named by line and column.
 *
 * The text is JSON if and only if `JSON.parse` says so. This reader adds where it stopped being JSON, and finds keys
 * that an object holds twice, of which `JSON.parse` silently keeps the last.
 */

/** A place in a text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The value of a JSON text, or the first thing wrong with it. */
export type JsonReading =
  | { readonly kind: "ok"; readonly value: unknown }
  | { readonly kind: "wrong"; readonly at: Position; readonly what: string };

/** Levels of nesting. A config has about ten; the bound keeps recursion off the end of the stack. */
const DEPTH_MAX = 100;

/** Where a text stops being good JSON. Thrown inside this file only. */
class Wrong {
  readonly offset: number;
  readonly what: string;
  constructor(offset: number, what: string) {
    this.offset = offset;
    this.what = what;
  }
}

/** Reads a JSON text. Never throws. */
export function parseJson(text: string): JsonReading {
  try {
    new Scanner(text).document();
    return { kind: "ok", value: JSON.parse(text) };
  } catch (error) {
    const { offset, what } =
      error instanceof Wrong ? error : new Wrong(text.length, (error as Error).message);
    return { kind: "wrong", at: positionOf(text, offset), what };
  }
}

/** Line and column of an offset. */
export function positionOf(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

class Scanner {
  #offset = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value(0);
    if (this.#next() !== "") this.#fail("expected the end of the file");
  }

  #value(depth: number): void {
    if (depth > DEPTH_MAX) this.#fail(`nested deeper than ${DEPTH_MAX}`);
    const next = this.#next();
    if (next === "{") this.#object(depth);
    else if (next === "[") this.#array(depth);
    else if (next === '"') this.#string();
    else if (this.#take(SCALAR) === undefined) this.#fail("expected a value");
  }

  #object(depth: number): void {
    const keys = new Set<string>();
    this.#items("}", () => {
      if (this.#next() !== '"') this.#fail("expected a key in double quotes");
      const start = this.#offset;
      const key = JSON.parse(this.#string()) as string;
      if (keys.has(key)) throw new Wrong(start, `the key ${JSON.stringify(key)} is there twice`);
      keys.add(key);
      if (this.#next() !== ":") this.#fail('expected ":"');
      this.#offset++;
      this.#value(depth + 1);
    });
  }

  #array(depth: number): void {
    this.#items("]", () => this.#value(depth + 1));
  }

  /** The items between an opening bracket, here, and `close`. */
  #items(close: string, item: () => void): void {
    this.#offset++;
    if (this.#next() === close) {
      this.#offset++;
      return;
    }
    for (;;) {
      item();
      const next = this.#next();
      if (next !== "," && next !== close) this.#fail(`expected "," or "${close}"`);
      this.#offset++;
      if (next === close) return;
    }
  }

  #string(): string {
    const start = this.#offset;
    const found = this.#take(STRING) ?? this.#fail("this string does not end, or has a wrong escape");
    const control = found.search(/[^ -\uffff]/);
    if (control >= 0) throw new Wrong(start + control, "a string holds a bare control character");
    return found;
  }

  /** The next character after white space; "" at the end. */
  #next(): string {
    this.#take(SPACE);
    return this.#text.charAt(this.#offset);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const [found] = pattern.exec(this.#text) ?? [];
    this.#offset += found?.length ?? 0;
    return found;
  }

  #fail(what: string): never {
    const found = this.#text.charAt(this.#offset);
    throw new Wrong(
      this.#offset,
      `${what}, found ${found === "" ? "the end of the file" : JSON.stringify(found)}`,
    );
  }
}
