/** Caching in the gateway: what one rule keeps and by which key, and how much memory all rules share. */

/** How the responses of one rule are kept. With the defaults: as the origin says (RFC 9111), nothing else. */
export interface CacheConfig {
  readonly key: CacheKeyConfig;
  /** Freshness of storable 200s whatever the origin says; absent = as it says. */
  readonly ttlMs?: number;
  /** Freshness of a 200 about which the origin says nothing, default 0. */
  readonly defaultTtlMs: number;
  /** Whether such a one is fresh for a tenth of the time since its Last-Modified (RFC 9111 §4.2.2). Default true. */
  readonly heuristic: boolean;
  /** Freshness by status, for what the origin says nothing about: 404 and the like. Default none. */
  readonly negativeTtl: readonly (readonly [status: number, ttlMs: number])[];
  /** For how long a stale response is served while a fresh one is fetched, when the origin names no time. Default 0. */
  readonly staleWhileRevalidateMs: number;
  /** For how long a stale response is served instead of an error, when the origin names no time. Default 60 s. */
  readonly staleIfErrorMs: number;
  /** For how long a stale response is served while no target is healthy. Default 24 h. */
  readonly graceMs: number;
  /** How long a client waits for a fetch when a stale response may be served instead. Default 1 s. */
  readonly softTimeoutMs: number;
  /** Requests of one worker that may wait for one fetch; further ones go to the origin by themselves. Default 4096; 0 = none waits. */
  readonly waitersMax: number;
  /** Cache-Control for clients in place of the origin's; absent = the origin's. */
  readonly browser?: string;
  /** Whether a client that has to wait is sent the preloads of the stale response at once (103, RFC 8297). Default false. */
  readonly earlyHints: boolean;
  /** Whether what compresses well is also kept compressed, for clients that take that. Default false. */
  readonly compress: boolean;
  /** Whether those who ask are edges: what is said to caches alone, tags among it, is left in for them. Default false. */
  readonly shield: boolean;
  /** Larger ones are not kept; 0 = a hundredth of the memory, or what the disk takes (default). */
  readonly objectBytesMax: number;
  /** Larger bodies are fetched and kept in slices of this size; 0 = whole (default). */
  readonly sliceBytes: number;
  /** Whether responses with Set-Cookie are kept, without it. Default false. */
  readonly setCookie: boolean;
  /** Whether responses to requests with Authorization are kept though the origin does not call them public. Default false. */
  readonly authorization: boolean;
}

/** What tells one cached response from another, beside scheme, host and path. */
export interface CacheKeyConfig {
  readonly query: CacheQueryConfig;
  /** Whether `?b=1&a=2` is `?a=2&b=1`. Default false. */
  readonly sortQuery: boolean;
  /** Request fields, in small letters. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  /** Whether phones, tablets and others get their own. Default false. */
  readonly device: boolean;
  /** Languages that the origin answers in; the best match of Accept-Language counts. Default none. */
  readonly languages: readonly string[];
}

/** Which parameters of the query count. */
export type CacheQueryConfig =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  | { readonly kind: "only"; readonly names: readonly string[] }
  | { readonly kind: "except"; readonly names: readonly string[] };

/** The disk tier of the cache. */
export interface CacheDiskConfig {
  /** Bytes of the responses that are kept there. The index takes a hundredth of it besides. */
  readonly sizeBytes: number;
  /** Folder, absolute; absent = `gateway/cache-disk` of the state directory. */
  readonly folder?: string;
}

/** What the rules with a cache share. */
export interface CacheStoreConfig {
  /** Memory of all workers together, default 128 MiB. */
  readonly memoryBytes: number;
  /** Below the memory; absent = memory alone (default). */
  readonly disk?: CacheDiskConfig;
  /** File with the token that a PURGE request brings, absolute; absent = PURGE is no method of ours. */
  readonly purgeTokenFile?: string;
}
