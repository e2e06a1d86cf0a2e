/** The language that fits a client best, out of those that a site speaks (RFC 4647 §3.4, lookup). */
import { splitWeighted, type Weighted } from "./list.ts";

/** Longest tag that is looked up (RFC 5646 §4.4.1): what is longer names no language that a site speaks. */
const TAG_CHARS_MAX = 35;

/**
 * The supported language (as written in `supported`) that Accept-Language likes best: by weight, then by the
 * client's order; "de-AT" is content with "de", unless "de;q=0" refuses that. Undefined when none fits.
 * O(wishes x supported + wishes x supported x refusals).
 */
export function bestLanguage(
  acceptLanguage: string | undefined,
  supported: readonly string[],
): string | undefined {
  const ranges = splitWeighted(acceptLanguage ?? "").filter(({ name }) => name.length <= TAG_CHARS_MAX);
  const wishes = ranges.filter(({ weight }) => weight > 0).toSorted((a, b) => b.weight - a.weight);
  const taken =
    wishes.length === ranges.length
      ? supported
      : supported.filter((language) => !isRefused(language, ranges));
  for (const { name } of wishes) {
    const found = name === "*" ? taken[0] : lookUp(name, taken);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the closest range that matches a language refuses it with q=0 (RFC 9110 §12.4.2, RFC 4647 §3.3.1). */
function isRefused(language: string, ranges: readonly Weighted[]): boolean {
  const tag = language.toLowerCase();
  const matching = ranges.filter(({ name }) => tag === name || tag.startsWith(`${name}-`));
  const closest = Math.max(0, ...matching.map(({ name }) => name.length));
  return matching.some(({ name, weight }) => name.length === closest && weight === 0);
}

/** Shortens the wish until something has that name: "zh-hant-tw", "zh-hant", "zh". */
function lookUp(wish: string, supported: readonly string[]): string | undefined {
  for (let range = wish; range !== ""; range = range.slice(0, Math.max(0, range.lastIndexOf("-")))) {
    const found = supported.find((language) => language.toLowerCase() === range);
    if (found !== undefined) return found;
  }
  return undefined;
}
