/** The language that fits a client best, out of those that a site speaks (RFC 4647 §3.4, lookup). */
import { splitWeighted } from "./list.ts";

/** Longest tag that is looked up (RFC 5646 §4.4.1): what is longer names no language that a site speaks. */
const TAG_CHARS_MAX = 35;

/**
 * The supported language (as written in `supported`) that Accept-Language likes best: by weight, then by the
 * client's order; "de-AT" is content with "de". Undefined when none fits. O(wishes x supported).
 */
export function bestLanguage(
  acceptLanguage: string | undefined,
  supported: readonly string[],
): string | undefined {
  const wishes = splitWeighted(acceptLanguage ?? "")
    .filter(({ name, weight }) => weight > 0 && name.length <= TAG_CHARS_MAX)
    .toSorted((a, b) => b.weight - a.weight);
  for (const { name } of wishes) {
    const found = name === "*" ? supported[0] : lookUp(name, supported);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Shortens the wish until something has that name: "zh-hant-tw", "zh-hant", "zh". */
function lookUp(wish: string, supported: readonly string[]): string | undefined {
  for (let range = wish; range !== ""; range = range.slice(0, Math.max(0, range.lastIndexOf("-")))) {
    const found = supported.find((language) => language.toLowerCase() === range);
    if (found !== undefined) return found;
  }
  return undefined;
}
