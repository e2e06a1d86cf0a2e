/** Stores that tasks share: the embedded one, or Redis and its kin, or Postgres, by URL. */
import type { Address } from "./config.ts";

/** What a store is for. Only what a cache holds may be dropped, because it can be made again. */
export const STORE_USES = ["state", "sessions", "cache"] as const;
/** One of `STORE_USES`. */
export type StoreUse = (typeof STORE_USES)[number];

/** What happens when memory is full. */
export const STORE_EVICTIONS = [
  "noeviction",
  "allkeys-s3-fifo",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
] as const;
/** One of `STORE_EVICTIONS`. */
export type StoreEviction = (typeof STORE_EVICTIONS)[number];

/** How soon a write is on disk; "off" keeps nothing. */
export const STORE_FSYNCS = ["everysec", "always", "no", "off"] as const;
/** One of `STORE_FSYNCS`. */
export type StoreFsync = (typeof STORE_FSYNCS)[number];

/** The URL of the store that tenfold itself runs. */
export const EMBEDDED_STORE = "embedded:";

/** A store. All but name, URL and use are for the embedded one. */
export interface StoreConfig {
  readonly name: string;
  /** "embedded:"; redis://, rediss://, valkey:// or valkeys:// with host and port; or pg:// with a database. */
  readonly url: string;
  /** What it is for, default "state". */
  readonly use: StoreUse;
  /** Where the embedded one listens, default 127.0.0.1:6379. */
  readonly address: Address;
  /** Bytes of data at most, default 1 GiB; 0 = no bound. */
  readonly memoryBytes: number;
  /** What goes when memory is full, default "noeviction": writes are refused; of a cache "allkeys-s3-fifo". */
  readonly eviction: StoreEviction;
  /** How soon a write is on disk, default "everysec". */
  readonly fsync: StoreFsync;
}
