/** A rule's cache as the policy wants it. */
import type { CacheConfig, CacheKeyConfig, CacheStoreConfig } from "../../../config/index.ts";
import { type CacheKeyRule, type CachePolicy, DEFAULT_POLICY } from "../../../edge/index.ts";

/**
 * What the store takes of one object, of all memory: a hundredth of what its tables leave, head included. A rule may say
 * less; what is larger would be held in memory while it comes, and then be refused.
 */
const OBJECT_SHARE = 0.009;

/** A rule's cache, ready for use. */
export interface RuleCache {
  readonly policy: CachePolicy;
  readonly key: CacheKeyRule;
  /** How long a client waits for a fetch when a stale response may be served. */
  readonly softTimeoutMs: number;
  /** Whether preloads of a stale response go ahead of the fetch. */
  readonly earlyHints: boolean;
  /** Whether compressed forms are kept as well. */
  readonly compress: boolean;
}

/** Fills the policy with what the config says. */
export function ruleCache(config: CacheConfig, { memoryBytes }: CacheStoreConfig): RuleCache {
  const { key, ttlMs, browser, objectBytesMax, negativeTtl, softTimeoutMs } = config;
  return {
    key: keyRule(key),
    softTimeoutMs,
    earlyHints: config.earlyHints,
    compress: config.compress,
    policy: {
      ...DEFAULT_POLICY,
      ttlMs: ttlMs === undefined ? {} : { 200: ttlMs },
      negativeTtlMs: Object.fromEntries(negativeTtl),
      defaultTtlMs: config.defaultTtlMs,
      heuristic: config.heuristic,
      staleWhileRevalidateMs: config.staleWhileRevalidateMs,
      staleIfErrorMs: config.staleIfErrorMs,
      graceMs: config.graceMs,
      maxObjectBytes: Math.min(objectBytesMax || memoryBytes, Math.floor(memoryBytes * OBJECT_SHARE)),
      allowSetCookie: config.setCookie,
      allowAuthorization: config.authorization,
      browserCacheControl: browser,
      keepInternalFields: config.shield,
    },
  };
}

/** What makes up a key, as the config says it. */
export function keyRule(key: CacheKeyConfig): CacheKeyRule {
  return { ...key, query: queryOf(key) };
}

function queryOf({ query }: CacheKeyConfig): CacheKeyRule["query"] {
  switch (query.kind) {
    case "all":
    case "none":
      return query.kind;
    case "only":
      return { allow: query.names };
    case "except":
      return { deny: query.names };
  }
}
