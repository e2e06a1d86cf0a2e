/** A rule's cache as the policy wants it. */
import type { CacheConfig, CacheKeyConfig, Config, GatewayConfig } from "../../../config/index.ts";
import { type CacheKeyRule, type CachePolicy, DEFAULT_POLICY } from "../../../edge/index.ts";
import { diskBodyBytesMax } from "../../../edge/io/index.ts";
import { columnsFor } from "../../scoreboard.ts";

/** Share of the store's room that one object may take, unless a rule wants more. */
const OBJECT_SHARE = 0.01;
/** More would leave the ring in which objects start with room for a few. */
const OBJECT_SHARE_MAX = 0.05;
/** What the store's tables and an object's head leave of such a share. */
const BODY_PART = 0.9;

/** What decides how large an object may be. */
export type CachingGateway = Pick<GatewayConfig, "cache" | "workers">;

/** A rule's cache, ready for use. */
export interface RuleCache {
  readonly policy: CachePolicy;
  readonly key: CacheKeyRule;
  /** How long a client waits for a fetch when a stale response may be served. */
  readonly softTimeoutMs: number;
  /** Requests of this worker that may wait for one fetch. */
  readonly waitersMax: number;
  /** Size of slices in which large bodies are fetched; 0 = whole. */
  readonly sliceBytes: number;
  /** Whether preloads of a stale response go ahead of the fetch. */
  readonly earlyHints: boolean;
  /** Whether compressed forms are kept as well. */
  readonly compress: boolean;
}

/** Fills the policy with what the config says. */
export function ruleCache(config: CacheConfig, gateway: CachingGateway): RuleCache {
  const { key, ttlMs, browser, negativeTtl, softTimeoutMs } = config;
  return {
    key: keyRule(key),
    softTimeoutMs,
    waitersMax: config.waitersMax,
    sliceBytes: config.sliceBytes,
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
      maxObjectBytes: maxObjectBytes(config, gateway),
      allowSetCookie: config.setCookie,
      allowAuthorization: config.authorization,
      browserCacheControl: browser,
      keepInternalFields: config.shield,
    },
  };
}

/**
 * The largest body that is worth recording. What is larger than memory and disk take would be held in memory while it
 * comes, and then be refused.
 */
function maxObjectBytes({ objectBytesMax }: CacheConfig, { cache, workers }: CachingGateway): number {
  const { memoryBytes, disk } = cache;
  const inMemory = (share: number): number => Math.floor(memoryBytes * share * BODY_PART);
  if (disk === undefined)
    return Math.min(objectBytesMax || inMemory(OBJECT_SHARE), inMemory(OBJECT_SHARE_MAX));
  const onDisk = diskBodyBytesMax({ bytes: disk.sizeBytes, workers: columnsFor(workers) + 1 });
  const most = Math.max(onDisk, inMemory(OBJECT_SHARE));
  return Math.min(objectBytesMax || most, most);
}

/** The share of the store's room that one object may take, so that what rules want to keep fits. */
export function objectShare({ gateway, listeners }: Pick<Config, "gateway" | "listeners">): number {
  const { memoryBytes, disk } = gateway.cache;
  if (disk !== undefined) return OBJECT_SHARE;
  const wanted = listeners.flatMap(({ rules }) => rules.map(({ cache }) => cache?.objectBytesMax ?? 0));
  const share = Math.max(0, ...wanted) / memoryBytes / BODY_PART;
  return Math.min(OBJECT_SHARE_MAX, Math.max(OBJECT_SHARE, share));
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
