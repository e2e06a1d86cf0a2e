/** Comma-separated lists (RFC 9110 §5.6.1), whose members may hold quoted strings with commas of their own. */

/**
 * The members without blanks around them; empty ones are left out. A quote that nobody closes is a character like
 * any other. O(length), whatever a client sends.
 */
export function splitList(value: string): string[] {
  const members: string[] = [];
  // Behind a quote that is not closed no other is closed either, and nothing has to look for it again.
  let hasQuotes = value.includes('"');
  for (let start = 0; start < value.length; ) {
    let end = hasQuotes ? memberEnd(value, start) : commaFrom(value, start);
    if (end < 0) {
      hasQuotes = false;
      end = commaFrom(value, -end - 1);
    }
    const member = trimBlanks(value.slice(start, end));
    if (member !== "") members.push(member);
    start = end + 1;
  }
  return members;
}

/** The next comma outside quotes, or the end; -1 - n when a quote at n is not closed. */
function memberEnd(value: string, start: number): number {
  let at = start;
  while (at < value.length && value[at] !== ",") {
    const end = value[at] === '"' ? closingQuote(value, at) : at;
    if (end < 0) return -1 - at;
    at = end + 1;
  }
  return at;
}

/** Where the string that opens at `start` closes; -1 when it does not. */
function closingQuote(value: string, start: number): number {
  for (let at = start + 1; at < value.length; at++) {
    if (value[at] === '"') return at;
    if (value[at] === "\\") at++;
  }
  return -1;
}

function commaFrom(value: string, start: number): number {
  const comma = value.indexOf(",", start);
  return comma < 0 ? value.length : comma;
}

/** The members of a list of names, in small letters, each once. */
export function splitNames(value: string): string[] {
  return [...new Set(splitList(value.toLowerCase()))];
}

/** Without spaces and tabs at either end. */
export function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return value.slice(start, end);
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
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
