/** Which parameters of a query count for a key. */
import type { CacheKeyRule } from "./key-rule.ts";

/** The parameters that the rule lets count, as sent, in its order; empty for none. O(parameters x names). */
export function selectQuery(text: string, rule: Pick<CacheKeyRule, "query" | "sortQuery">): string {
  const parameters = text
    .split("&")
    .filter((parameter) => parameter !== "" && counts(nameOf(parameter), rule));
  if (rule.sortQuery) parameters.sort(byName);
  return parameters.join("&");
}

function counts(name: string, { query }: Pick<CacheKeyRule, "query">): boolean {
  if (query === "all" || query === "none") return query === "all";
  return "allow" in query ? isNamed(name, query.allow) : !isNamed(name, query.deny);
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Sorting is stable: "a=2&a=1" means something else than "a=1&a=2". */
function byName(a: string, b: string): number {
  const [first, second] = [nameOf(a), nameOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/**
 * The name as an application reads it. Compared as written, "i%64" would not be "id": a request with it would share
 * the key of one without, and give everyone its page.
 */
function nameOf(parameter: string): string {
  const name = (parameter.split("=", 1)[0] ?? "").replaceAll("+", " ");
  try {
    return decodeURIComponent(name);
  } catch {
    // No UTF-8: then no name that a rule could mean.
    return name;
  }
}
