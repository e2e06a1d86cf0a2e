/** Stores that tasks share: the embedded one, or Redis and its kin by URL. */
import type { Address } from "./config.ts";

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

/** A store. All but name and URL are for the embedded one. */
export interface StoreConfig {
  readonly name: string;
  /**
   * "embedded:", or redis://, rediss://, valkey:// or valkeys:// with host and port, or a cluster's with hosts:
   * redis-cluster://host:port,host:port and so on.
   */
  readonly url: string;
  /** Where the embedded one listens, default 127.0.0.1:6379. */
  readonly address: Address;
  /** Bytes of data at most, default 1 GiB; 0 = no bound. */
  readonly memoryBytes: number;
  /** What goes when memory is full, default "noeviction": writes are refused. */
  readonly eviction: StoreEviction;
  /** How soon a write is on disk, default "everysec". */
  readonly fsync: StoreFsync;
}
