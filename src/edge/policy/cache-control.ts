/**
 * Cache-Control, of requests and responses (RFC 9111 §5.2), and the few other fields that say how old a response is.
 *
 * Reading is lenient in one direction. What cannot be read never makes a response live longer: a lifetime that is no
 * number is 0, and a directive that forbids is taken even out of a member that is otherwise broken
 * ("no-store; max-age=0"). Unknown directives are ignored. Of two lifetimes the first counts (§4.2.1).
 */
import { memoized } from "../../base/index.ts";
import { splitList, splitNames } from "./list.ts";

/** What a Cache-Control says. Durations are in seconds; undefined means that the directive is absent. */
export interface Directives {
  noStore: boolean;
  /** no-cache or private without field names. */
  noCache: boolean;
  isPrivate: boolean;
  /** Names in no-cache="…" and private="…", in small letters. */
  fields: readonly string[];
  isPublic: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  mustUnderstand: boolean;
  immutable: boolean;
  onlyIfCached: boolean;
  maxAgeS: number | undefined;
  sMaxageS: number | undefined;
  staleWhileRevalidateS: number | undefined;
  staleIfErrorS: number | undefined;
  /** Infinity for max-stale without a number. */
  maxStaleS: number | undefined;
  minFreshS: number | undefined;
}

type Flag =
  | "noStore"
  | "noCache"
  | "isPrivate"
  | "isPublic"
  | "mustRevalidate"
  | "proxyRevalidate"
  | "mustUnderstand"
  | "immutable"
  | "onlyIfCached";

type Duration =
  | "maxAgeS"
  | "sMaxageS"
  | "staleWhileRevalidateS"
  | "staleIfErrorS"
  | "maxStaleS"
  | "minFreshS";

/** Directives without an argument, or with field names as one. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map([
  ["no-store", "noStore"],
  ["no-cache", "noCache"],
  ["private", "isPrivate"],
  ["public", "isPublic"],
  ["must-revalidate", "mustRevalidate"],
  ["proxy-revalidate", "proxyRevalidate"],
  ["must-understand", "mustUnderstand"],
  ["immutable", "immutable"],
  ["only-if-cached", "onlyIfCached"],
]);

/** Directives with a number of seconds. */
export const DURATIONS: ReadonlyMap<string, Duration> = new Map([
  ["max-age", "maxAgeS"],
  ["s-maxage", "sMaxageS"],
  ["stale-while-revalidate", "staleWhileRevalidateS"],
  ["stale-if-error", "staleIfErrorS"],
  ["max-stale", "maxStaleS"],
  ["min-fresh", "minFreshS"],
]);

/** Taken out of a broken member too: each only forbids. must-understand is none, it overrides no-store. */
const FORBIDDING: readonly string[] = [
  "no-store",
  "no-cache",
  "private",
  "must-revalidate",
  "proxy-revalidate",
];

/** Directives that may name fields. */
const NAMING: readonly string[] = ["no-cache", "private"];

/** What a longer duration counts as: 68 years (RFC 9111 §1.2.2). */
export const DURATION_MAX_S = 2_147_483_648;

const MEMBER = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*)))?$/i;
const WORDS = /[0-9a-z-]+/gi;
const DIGITS = /^[0-9]+$/;

/** Directives of no field at all. */
export function noDirectives(): Directives {
  return {
    noStore: false,
    noCache: false,
    isPrivate: false,
    fields: [],
    isPublic: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    immutable: false,
    onlyIfCached: false,
    maxAgeS: undefined,
    sMaxageS: undefined,
    staleWhileRevalidateS: undefined,
    staleIfErrorS: undefined,
    maxStaleS: undefined,
    minFreshS: undefined,
  };
}

/** Values that are remembered: an application sends few different ones. */
const REMEMBERED = 256;

const NO_DIRECTIVES: Readonly<Directives> = noDirectives();

/** Reads the joined value of Cache-Control; an absent one has no directives. O(length), O(1) when it comes again. */
export function parseCacheControl(value: string | undefined): Readonly<Directives> {
  return value === undefined ? NO_DIRECTIVES : remembered(value);
}

const remembered: (value: string) => Readonly<Directives> = memoized(REMEMBERED, (value) => {
  const directives = noDirectives();
  for (const member of splitList(value)) readMember(directives, member);
  return directives;
});

/** The directives of a request: Cache-Control, or Pragma: no-cache where there is none (RFC 9111 §5.4). */
export function requestDirectives(field: (name: string) => string | undefined): Readonly<Directives> {
  const cacheControl = field("cache-control");
  if (cacheControl !== undefined) return parseCacheControl(cacheControl);
  return { ...NO_DIRECTIVES, noCache: isPragmaNoCache(field("pragma")) };
}

/** Whether Pragma holds no-cache. */
export function isPragmaNoCache(pragma: string | undefined): boolean {
  return pragma !== undefined && splitNames(pragma).includes("no-cache");
}

/** Seconds of a text of digits, at most `DURATION_MAX_S`; undefined for any other text. */
function parseDeltaSeconds(text: string): number | undefined {
  return DIGITS.test(text) ? Math.min(Number(text), DURATION_MAX_S) : undefined;
}

/**
 * Seconds of Age (RFC 9111 §5.1). Of several values the first counts; one that is no number of seconds is ignored,
 * and is 0 then.
 */
export function parseAge(value: string | undefined): number {
  if (value === undefined) return 0;
  const [first = ""] = splitList(value);
  return parseDeltaSeconds(first) ?? 0;
}

function readMember(directives: Directives, member: string): void {
  const [, rawName, quoted, token] = MEMBER.exec(member) ?? [];
  if (rawName === undefined) {
    for (const word of member.toLowerCase().match(WORDS) ?? []) {
      if (FORBIDDING.includes(word)) setFlag(directives, word, "");
      setDuration(directives, word, "");
    }
    return;
  }
  const name = rawName.toLowerCase();
  setFlag(directives, name, quoted ?? "");
  setDuration(directives, name, quoted ?? token);
}

/** Sets the flag of this name; with field names in quotes those are kept instead. */
export function setFlag(directives: Directives, name: string, names: string): void {
  const flag = FLAGS.get(name);
  const fields = NAMING.includes(name) ? splitNames(names) : [];
  if (fields.length > 0) directives.fields = [...directives.fields, ...fields];
  else if (flag !== undefined) directives[flag] = true;
}

function setDuration(directives: Directives, name: string, argument: string | undefined): void {
  const duration = DURATIONS.get(name);
  if (duration === undefined || directives[duration] !== undefined) return;
  const isUnlimited = duration === "maxStaleS" && argument === undefined;
  directives[duration] = isUnlimited ? Number.POSITIVE_INFINITY : (parseDeltaSeconds(argument ?? "") ?? 0);
}
