/** Comma-separated lists (RFC 9110 §5.6.1), whose members may hold quoted strings with commas of their own. */

/** A member up to the next comma outside quotes. A quote that nobody closes is a character like any other. */
const MEMBER = /(?:"(?:[^"\\]|\\.)*"|[^,])+/g;

/** The members without blanks around them; empty ones are left out. O(length). */
export function splitList(value: string): string[] {
  return (value.match(MEMBER) ?? []).map(trimBlanks).filter((member) => member !== "");
}

/** The members of a list of names, in small letters, each once. */
export function splitNames(value: string): string[] {
  return [...new Set(splitList(value.toLowerCase()))];
}

/** Without spaces and tabs at either end. */
export function trimBlanks(value: string): string {
  return value.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}

/** A member with a weight (RFC 9110 §12.4.2), in small letters; without one, or with a broken one, it weighs 1. */
export interface Weighted {
  readonly name: string;
  readonly weight: number;
}

const WEIGHT = /;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*(?:;|$)/;

/** The members of a list such as Accept-Encoding or Accept-Language, in the order they came. */
export function splitWeighted(value: string): Weighted[] {
  return splitList(value.toLowerCase()).map((member) => ({
    name: trimBlanks(member.split(";", 1)[0] ?? ""),
    weight: Math.min(1, Number(WEIGHT.exec(member)?.[1] ?? 1)),
  }));
}
