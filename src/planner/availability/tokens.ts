/** The words of an expression with where they stand, and the problems that point at them. */
import type { Problem } from "../../config/index.ts";

/** A bracket, a comma, an option `name=value`, or any other word. */
export interface Token {
  readonly kind: "open" | "close" | "comma" | "option" | "word" | "end";
  /** As written. */
  readonly text: string;
  /** Offset of its first character. */
  readonly at: number;
  /** Of an option, in lower case; "" for the rest. */
  readonly name: string;
  readonly value: string;
}

/** A problem that knows where in the expression it is. */
export interface ExpressionProblem extends Problem {
  readonly at: number;
  readonly length: number;
}

/** Punctuation; name = value; a percentage with or without a space before its sign; any other word. */
const TOKEN = /\s*(?:([(),])|([a-z]+)\s*=\s*(\d+(?:\.\d+)?\s*%|[^\s(),]*)|(\d+(?:\.\d+)?\s*%|[^\s(),]+))/giy;

const PUNCTUATION: Readonly<Record<string, Token["kind"]>> = { "(": "open", ")": "close", ",": "comma" };

/** Longest word that a problem repeats. */
const QUOTED_MAX = 40;

/** Columns of the expression that are shown around a problem. */
const SHOWN_MAX = 100;

/** All words of the text; the last one is its end. */
export function tokensOf(text: string): Token[] {
  const end: Token = { kind: "end", text: "", at: text.trimEnd().length, name: "", value: "" };
  return [...[...text.matchAll(TOKEN)].map(tokenOf), end];
}

function tokenOf(match: RegExpExecArray): Token {
  const [all, punctuation = "", name = "", value = ""] = match;
  const written = all.trimStart();
  return {
    kind: PUNCTUATION[punctuation] ?? (name === "" ? "word" : "option"),
    text: written,
    at: match.index + all.length - written.length,
    name: name.toLowerCase(),
    value: value.replace(/\s+/, ""),
  };
}

/** The problem that `token` is wrong. */
export function problemAt({ kind, text, at }: Token, what: string, mend: string): ExpressionProblem {
  const quoted = text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text;
  const path = kind === "end" ? "the end" : JSON.stringify(quoted);
  return { path, what, mend, at, length: Math.max(1, text.length) };
}

/** The expression, and under it carets at all that is wrong; of a long one the surroundings of the first problem. */
export function pointAt(
  text: string,
  problems: readonly ExpressionProblem[],
): readonly [shown: string, carets: string] {
  const first = Math.min(...problems.map(({ at }) => at));
  const from = text.length <= SHOWN_MAX ? 0 : Math.max(0, first - SHOWN_MAX / 2);
  // A tab or a line break would shift what stands under it.
  const shown = text.slice(from, from + SHOWN_MAX).replace(/\p{Cc}/gu, " ");
  const isWrong = (column: number): boolean =>
    problems.some(({ at, length }) => column >= at && column < at + length);
  const carets = Array.from({ length: shown.length + 1 }, (_, column) =>
    isWrong(from + column) ? "^" : " ",
  );
  return [shown, carets.join("").trimEnd()];
}
