/**
 * What a cache keeps about a stored response so that it can decide without reading its fields: numbers and a few
 * strings. Any object with these getters will do, one over shared memory as well.
 */

/** Bits of `StoredMeta.flags`. */
export const FLAG = {
  /** no-cache: never used without asking the upstream. */
  noCache: 1,
  mustRevalidate: 2,
  proxyRevalidate: 4,
  /** s-maxage, which forbids stale use as proxy-revalidate does (RFC 9111 §5.2.2.10). */
  sharedMaxAge: 8,
  immutable: 16,
  /** The response may be reused for requests with Authorization (public, must-revalidate or s-maxage, §3.5). */
  authorized: 32,
  /** The lifetime is a guess from Last-Modified. */
  heuristic: 64,
  /** Soft purge: stale from now on, whatever its lifetime. Set by the store. */
  purged: 128,
  /** An unsafe request changed the resource: never used without asking the upstream. Set by the store. */
  invalidated: 256,
} as const;

/** A stored response without its fields and body. */
export interface StoredMeta {
  readonly status: number;
  /** When the request was sent upstream, in wall milliseconds. */
  readonly requestWallMs: number;
  /** When the response came, in wall milliseconds: the instant that ages are counted from. */
  readonly responseWallMs: number;
  /** Its age at that instant (the corrected_initial_age of RFC 9111 §4.2.3). */
  readonly initialAgeMs: number;
  readonly lifetimeMs: number;
  /** Of `FLAG`. */
  readonly flags: number;
  /** Served while it is refreshed for so long past its lifetime; 0 where that is forbidden. */
  readonly staleWhileRevalidateMs: number;
  /** Served when the upstream fails for so long past its lifetime; 0 where that is forbidden. */
  readonly staleIfErrorMs: number;
  /** Its Date, or when it came. */
  readonly dateMs: number;
  /** Names of Vary, in small letters, sorted, with "," between; empty for none. */
  readonly varyNames: string;
  /** The values of those fields in the request that it answered (see `selectingValues`). */
  readonly varyValues: string;
  /** Content-Language in small letters; empty for none. */
  readonly contentLanguage: string;
  /** Entity tag as sent; empty for none. */
  readonly etag: string;
  /** Last-Modified as sent; empty for none. */
  readonly lastModified: string;
}

/** How old the response is now (RFC 9111 §4.2.3). A clock that was set back makes nothing younger. */
export function ageMs(stored: StoredMeta, nowMs: number): number {
  const resident = nowMs - stored.responseWallMs;
  return stored.initialAgeMs + (resident > 0 ? resident : 0);
}

/** How long it stays fresh from now on; negative once it is stale. */
export function freshForMs(stored: StoredMeta, nowMs: number): number {
  return stored.lifetimeMs - ageMs(stored, nowMs);
}

/** The value of Age, in whole seconds. */
export function ageSeconds(stored: StoredMeta, nowMs: number): number {
  return Math.floor(ageMs(stored, nowMs) / 1000);
}
