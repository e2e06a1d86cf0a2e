/** What a user writes under `cache`, of a rule and of the gateway. */
import type { Duration, Size } from "./user-config.ts";

/** What a rule keeps of its responses. What is private or has Set-Cookie is never kept unless that is asked for. */
export interface UserCache {
  /** Freshness of 200s whatever the origin says. Default: as it says. */
  readonly ttl?: Duration;
  /** Freshness of a 200 about which the origin says nothing. Default "0s". */
  readonly defaultTtl?: Duration;
  /** A tenth of the time since Last-Modified, where the origin says nothing else. Default true. */
  readonly heuristic?: boolean;
  /** Freshness of errors about which the origin says nothing: for 404 and 410, or by status. Default none. */
  readonly negativeTtl?: Duration | Readonly<Record<number, Duration>>;
  /** How long a stale response is served while a fresh one is fetched, unless the origin says. Default "0s". */
  readonly staleWhileRevalidate?: Duration;
  /** How long a stale response is served in place of an error, unless the origin says. Default "60s". */
  readonly staleIfError?: Duration;
  /** How long a stale response is served while no target is healthy. Default "24h". */
  readonly grace?: Duration;
  /** How long a client waits for a fetch when a stale response may be served. Default "1s". */
  readonly softTimeout?: Duration;
  /** Requests of one worker that may wait for one fetch; further ones go to the origin. 0: each goes by itself. Default 4096. */
  readonly waitersMax?: number;
  /** Cache-Control sent to clients in place of the origin's, such as "max-age=60". */
  readonly browser?: string;
  /** While a stale response is checked, send its preloads as Early Hints (103). Only for clients that know them. Default false. */
  readonly earlyHints?: boolean;
  /** Keep what compresses well compressed as well (br, zstd, gzip), for clients that take it. Default false. */
  readonly compress?: boolean;
  /** Those who ask are edges, not clients: leave in what is said to caches alone, such as Cache-Tag. Default false. */
  readonly shield?: boolean;
  readonly key?: UserCacheKey;
  /** Larger responses are not kept. Default: a hundredth of the memory; with a disk what that takes, 31 MiB of a large one. */
  readonly objectMax?: Size;
  /** Ask the origin for slices of this size, such as "1MiB", and keep each by itself: for large files. Default: whole responses. */
  readonly slice?: Size;
  /** Keep responses with Set-Cookie, without it. Default false. */
  readonly setCookie?: boolean;
  /** Keep responses to requests with Authorization even where the origin does not call them public. Default false. */
  readonly authorization?: boolean;
}

/** What tells one response from another, beside scheme, host and path. */
export interface UserCacheKey {
  /** Which parameters count. Default "all". */
  readonly query?:
    | "all"
    | "none"
    | { readonly only: string | readonly string[] }
    | { readonly except: string | readonly string[] };
  /** Their order does not matter. Default false. */
  readonly sortQuery?: boolean;
  /** Request headers that count. */
  readonly headers?: string | readonly string[];
  /** Cookies that count. */
  readonly cookies?: string | readonly string[];
  /** Phones, tablets and others get their own. Default false. */
  readonly device?: boolean;
  /** The languages that the origin answers in: the best match of Accept-Language counts. */
  readonly languages?: string | readonly string[];
}

/** What all rules with a cache share. */
export interface UserCacheStore {
  /** Of all workers together. Default "128MiB". A change takes effect when tenfold starts anew. */
  readonly memory?: Size;
  /**
   * What does not fit into memory is kept on disk, of this size: "10GiB", or with a folder of its own. Default off; the
   * folder is `gateway/cache-disk` of the state directory. A change takes effect when tenfold starts anew.
   */
  readonly disk?: Size | { readonly size: Size; readonly folder?: string };
  /** A file with a token: requests PURGE that bring it as `Authorization: Bearer …` remove what is kept of their URL. */
  readonly purgeTokenFile?: string;
}
