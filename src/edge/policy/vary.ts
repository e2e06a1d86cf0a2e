/**
 * Vary (RFC 9111 §4.1): which of the stored responses with one key answers a request.
 *
 * Requests that differ only in how they write the same wish should meet the same response, so values are compared in
 * a normal form: Accept-Encoding as the set of codings it takes, Accept-Language as tags by weight, any
 * other field without blanks around its commas.
 */
import { splitList, splitNames, splitWeighted, type Weighted } from "./list.ts";
import type { CacheRequest } from "./message.ts";
import type { StoredMeta } from "./stored-meta.ts";

/** Names in one Vary; more are a mistake, and would make each request its own variant. */
export const VARY_NAMES_MAX = 16;

/** Codings that "*" stands for beside those that nobody knows. */
const CODINGS: readonly string[] = ["br", "gzip", "zstd"];

/** Stands for a field that the request does not have: NUL is in no field value. */
const ABSENT = "\0";

/** How the value of a field becomes comparable. Adding one is one row. */
const NORMAL_FORMS: ReadonlyMap<string, (value: string) => string> = new Map([
  ["accept-encoding", normalizeEncodings],
  ["accept-language", normalizeLanguages],
]);

const NO_NAMES: readonly string[] = [];

/** The names in Vary, sorted; "*" for one that never matches. */
export function varyNames(vary: string | undefined): readonly string[] | "*" {
  if (vary === undefined) return NO_NAMES;
  const names = splitNames(vary);
  return names.includes("*") ? "*" : names.toSorted();
}

/** The values of `names` (joined with ",") in a request, in normal form, as one text. Empty for no names. */
export function selectingValues(names: string, request: CacheRequest): string {
  if (names === "") return "";
  return names
    .split(",")
    .map((name) => selectingValue(name, request))
    .join("\n");
}

/** Whether the stored response may answer the request. Reads no field when it has no Vary. */
export function matchesVariant(stored: StoredMeta, request: CacheRequest): boolean {
  if (stored.varyNames === "") return true;
  const values = stored.varyValues.split("\n");
  return stored.varyNames.split(",").every((name, index) => {
    if (selectingValue(name, request) === values[index]) return true;
    return name === "accept-language" && isPreferred(stored.contentLanguage, request.field(name));
  });
}

/** Of several that match, the one with the latest Date (RFC 9111 §4.1); undefined when none does. O(candidates). */
export function selectVariant<T extends StoredMeta>(
  candidates: Iterable<T>,
  request: CacheRequest,
): T | undefined {
  let newest: T | undefined;
  for (const stored of candidates) {
    const isNewer = newest === undefined || stored.dateMs > newest.dateMs;
    if (isNewer && matchesVariant(stored, request)) newest = stored;
  }
  return newest;
}

/**
 * Accept-Encoding as the set of codings it takes, sorted: "br,gzip". A coding that we do not know counts too: a target may
 * produce it, and whoever does not take it could not read the body. "!identity" when it takes nothing else.
 */
export function normalizeEncodings(acceptEncoding: string): string {
  const weights = new Map<string, number>();
  for (const { name, weight } of splitWeighted(acceptEncoding)) {
    const coding = name === "x-gzip" ? "gzip" : name;
    if (!weights.has(coding)) weights.set(coding, weight);
  }
  const others = weights.get("*");
  const refusesIdentity = (weights.get("identity") ?? others) === 0;
  const names = new Set([...weights.keys(), ...(others === undefined ? [] : CODINGS)]);
  names.delete("identity");
  const taken = [...names].filter((name) => (weights.get(name) ?? others ?? 0) > 0).toSorted();
  return [...(refusesIdentity ? ["!identity"] : []), ...taken].join(",");
}

function selectingValue(name: string, request: CacheRequest): string {
  const value = request.field(name);
  return value === undefined ? ABSENT : (NORMAL_FORMS.get(name) ?? normalizeBlanks)(value);
}

function normalizeLanguages(value: string): string {
  return splitWeighted(value)
    .toSorted((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .map(({ name, weight }) => (weight === 1 ? name : `${name};q=${weight}`))
    .join(",");
}

function normalizeBlanks(value: string): string {
  return splitList(value).join(",");
}

/** Whether the request likes this language best: a target that has it would choose it (RFC 9110 §12.5.4). */
function isPreferred(language: string, acceptLanguage: string | undefined): boolean {
  if (language === "" || acceptLanguage === undefined) return false;
  const accepted = splitWeighted(acceptLanguage);
  const weight = Math.max(0, ...accepted.map((range: Weighted) => range.weight));
  const best = accepted.filter((range) => range.weight === weight);
  return weight > 0 && best.length === 1 && best[0]?.name === language;
}
