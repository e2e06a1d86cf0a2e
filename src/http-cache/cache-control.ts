/**
 * Cache-Control of a response (RFC 9111 §5.2.2, RFC 5861, RFC 8246), from typed settings; combinations that contradict
 * themselves are refused instead of being sent.
 */
import { explainDuration, parseDurationMs } from "../base/index.ts";

/** A duration as "10m", whole seconds at least. */
export type Seconds = string;

/** Who may keep a response, and for how long. Durations are texts as "10m". */
export interface CacheRules {
  /**
   * Who may keep it. "public": every cache. "private": the user's browser alone; the choice for what depends on a
   * session. "no-store": nobody.
   */
  readonly store: "public" | "private" | "no-store";
  /** How long it is fresh. Without it a cache guesses, or asks each time with `noCache`. */
  readonly maxAge?: Seconds;
  /** The same for shared caches. */
  readonly sMaxAge?: Seconds;
  /** May be kept, but is asked for before each use. */
  readonly noCache?: boolean;
  /** Once stale it is never used without asking, not even when the server is away. */
  readonly mustRevalidate?: boolean;
  readonly proxyRevalidate?: boolean;
  /** For this long past its freshness it is used while the cache asks in the background. */
  readonly staleWhileRevalidate?: Seconds;
  /** For this long past its freshness it is used when the server fails. */
  readonly staleIfError?: Seconds;
  /** Never changes under this URL: browsers do not even ask on reload. */
  readonly immutable?: boolean;
  /** No proxy may change the content. */
  readonly noTransform?: boolean;
  /** Only caches that know the status code may keep it. */
  readonly mustUnderstand?: boolean;
}

/** Longest time that is sent, in seconds: one year. RFC 9111 §1.2.2 has caches cap what is beyond 2^31. */
const SECONDS_MAX = 31_536_000;

/** Directive -> the setting it comes from. In the order in which they are written. */
const DIRECTIVES: readonly (readonly [string, Exclude<keyof CacheRules, "store">])[] = [
  ["max-age", "maxAge"],
  ["s-maxage", "sMaxAge"],
  ["no-cache", "noCache"],
  ["must-revalidate", "mustRevalidate"],
  ["proxy-revalidate", "proxyRevalidate"],
  ["stale-while-revalidate", "staleWhileRevalidate"],
  ["stale-if-error", "staleIfError"],
  ["immutable", "immutable"],
  ["no-transform", "noTransform"],
  ["must-understand", "mustUnderstand"],
];

/** A contradiction: when it applies, and what to do. */
interface Contradiction {
  readonly applies: (rules: CacheRules) => boolean;
  readonly message: string;
}

const isSet = (value: string | boolean | undefined): boolean => value !== undefined && value !== false;

/** Settings that say something about a kept response. */
const KEPT: readonly Exclude<keyof CacheRules, "store">[] = DIRECTIVES.map(([, name]) => name).filter(
  (name) => name !== "noTransform" && name !== "mustUnderstand",
);

const CONTRADICTIONS: readonly Contradiction[] = [
  {
    applies: (rules) => rules.store === "no-store" && KEPT.some((name) => isSet(rules[name])),
    message:
      'store: "no-store" keeps nothing, so that nothing else about keeping can be said: leave the rest out',
  },
  {
    applies: (rules) => rules.store === "private" && (isSet(rules.sMaxAge) || isSet(rules.proxyRevalidate)),
    message:
      "sMaxAge and proxyRevalidate are for shared caches, which may not keep what is private: take one out",
  },
  {
    applies: (rules) => isSet(rules.noCache) && (isSet(rules.immutable) || isSet(rules.staleWhileRevalidate)),
    message: "noCache asks before each use, immutable and staleWhileRevalidate use without asking: choose",
  },
  {
    applies: (rules) =>
      isSet(rules.mustRevalidate) && (isSet(rules.staleWhileRevalidate) || isSet(rules.staleIfError)),
    message:
      "mustRevalidate forbids every use when stale, staleWhileRevalidate and staleIfError allow some: choose",
  },
  {
    applies: (rules) =>
      (isSet(rules.immutable) || isSet(rules.staleWhileRevalidate) || isSet(rules.staleIfError)) &&
      !isSet(rules.maxAge) &&
      !isSet(rules.sMaxAge),
    message: "immutable and stale… count from the end of freshness: give maxAge",
  },
  {
    applies: (rules) => isSet(rules.mustUnderstand) && rules.store !== "no-store",
    message:
      'mustUnderstand is sent with store: "no-store", for caches that do not know it (RFC 9111 §5.2.2.3)',
  },
];

/**
 * The value of a Cache-Control field.
 *
 * @throws TypeError that names the contradiction or the duration, and how to mend it.
 */
export function cacheControl(rules: CacheRules): string {
  const contradiction = CONTRADICTIONS.find(({ applies }) => applies(rules));
  if (contradiction !== undefined) throw new TypeError(`cache rules: ${contradiction.message}`);
  const directives = DIRECTIVES.filter(([, name]) => isSet(rules[name])).map(([directive, name]) => {
    const value = rules[name];
    return typeof value === "string" ? `${directive}=${seconds(name, value)}` : directive;
  });
  return [rules.store, ...directives].join(", ");
}

function seconds(name: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new TypeError(`cache rules: ${name}: ${explainDuration(text)}`);
  const whole = ms / 1000;
  if (!Number.isInteger(whole))
    throw new TypeError(`cache rules: ${name}: ${text} is no whole number of seconds`);
  if (whole > SECONDS_MAX) throw new TypeError(`cache rules: ${name}: ${text} is more than a year ("365d")`);
  return whole;
}
