/** A rule's cache settings after normalisation: plain data, the same for every request of the rule. */

/** How a rule caches. Durations in milliseconds. */
export interface CachePolicy {
  /** Lifetime by status that overrides what the response says of it. It never overrides what forbids storing. */
  readonly ttlMs: Readonly<Record<number, number>>;
  /** Lifetime by status for responses that say nothing of theirs: errors, mostly. */
  readonly negativeTtlMs: Readonly<Record<number, number>>;
  /** Lifetime of other responses that say nothing of theirs; 0 for none. */
  readonly defaultTtlMs: number;
  /** Whether a tenth of the time since Last-Modified is a lifetime where the response says nothing (§4.2.2). */
  readonly heuristic: boolean;
  readonly heuristicMaxMs: number;
  /** How long past its lifetime a response is served while it is refreshed, where the response says nothing. */
  readonly staleWhileRevalidateMs: number;
  /** How long past its lifetime it is served when the upstream fails, where the response says nothing. */
  readonly staleIfErrorMs: number;
  /** The same when no target is well. */
  readonly graceMs: number;
  readonly maxObjectBytes: number;
  /** Store responses with Set-Cookie, which then reach everyone. */
  readonly allowSetCookie: boolean;
  /** Store responses to requests with Authorization, which then reach everyone. */
  readonly allowAuthorization: boolean;
  /** Whether Cache-Control and Pragma of requests count. */
  readonly requestDirectives: boolean;
  /** Refuse a page that poses as a static file (web cache deception). */
  readonly deceptionCheck: boolean;
  /** Cache-Control that clients get instead of the upstream's; undefined leaves it. */
  readonly browserCacheControl: string | undefined;
  /** Fields that speak to this cache before Cache-Control does (RFC 9213), in small letters, the first wins. */
  readonly targetedFields: readonly string[];
  /** Send tags and our own targeted field on: to another cache of ours, not to clients. */
  readonly keepInternalFields: boolean;
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** The defaults, which follow RFC 9111 where it decides and are careful where it does not. */
export const DEFAULT_POLICY: CachePolicy = {
  ttlMs: {},
  negativeTtlMs: {},
  // No default: what does not ask to be cached is not, or every application would have to learn to say no.
  defaultTtlMs: 0,
  heuristic: true,
  heuristicMaxMs: 24 * HOUR,
  // Stale before the upstream was asked only when the response allows it.
  staleWhileRevalidateMs: 0,
  // A restart or one failed deploy passes unseen; a minute-old page is better than an error page.
  staleIfErrorMs: 60 * SECOND,
  // With nobody there to ask, a day covers a night until someone mends it.
  graceMs: 24 * HOUR,
  // A hundredth of a 3 GiB cache: larger ones would push out what is asked for more often.
  maxObjectBytes: 32 * 1024 * 1024,
  allowSetCookie: false,
  allowAuthorization: false,
  requestDirectives: true,
  deceptionCheck: true,
  browserCacheControl: undefined,
  targetedFields: ["tenfold-cdn-cache-control", "cdn-cache-control"],
  keepInternalFields: false,
};
