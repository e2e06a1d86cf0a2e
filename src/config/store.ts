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

/** TLS of a store. Files are absolute paths, PEM. */
export interface StoreTls {
  /** Certificate and private key of the embedded store; together or not at all. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that tasks call the embedded one by, where the certificate is not for its address. */
  readonly host?: string;
  /** CA that tasks are to trust. */
  readonly ca?: string;
  /** CA of clients: the embedded one lets in nobody without a certificate of it. */
  readonly clientCa?: string;
}

/** A store. All but name, URL, use and `tls.ca` are for the embedded one. */
export interface StoreConfig {
  readonly name: string;
  /**
   * "embedded:", or redis://, rediss://, valkey:// or valkeys:// with host and port, or a cluster's with hosts:
   * redis-cluster://host:port,host:port and so on; or pg:// with a database.
   */
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
  readonly tls?: StoreTls;
}
