/** `stores` as a user writes them. */
import type { StoreEviction, StoreFsync, StoreUse } from "./store.ts";
import type { Size, UserAddress } from "./user-config.ts";

/** One store. Tasks find its URL in TENFOLD_STORE_NAME_URL, the name in capitals. */
export interface UserStore {
  /** "embedded:" for the one that tenfold runs; redis://…, rediss://…, valkey://…, valkeys://…; redis-cluster://… and so on for a cluster; or pg://… for Postgres. */
  readonly url: string;
  /** What it is for. Default "state": nothing in it may vanish. "sessions" too; what a "cache" holds may be dropped. */
  readonly use?: StoreUse;
  /** Where the embedded one listens. Default "127.0.0.1:6379". A port alone means loopback. */
  readonly address?: UserAddress;
  /** Data of the embedded one at most. Default "1GiB"; "0B": no bound. */
  readonly memory?: Size;
  /** What goes when memory is full. Default "noeviction": writes are refused; of a cache "allkeys-s3-fifo". */
  readonly eviction?: StoreEviction;
  /** How soon a write is on disk. Default "everysec". "off" keeps nothing. */
  readonly fsync?: StoreFsync;
  /** TLS: tasks are given a rediss:// URL. */
  readonly tls?: UserStoreTls;
}

/** TLS of a store. Files are PEM, their paths relative to the config. */
export interface UserStoreTls {
  /** Certificate of the embedded one, with those between it and its CA. Renewed ones are taken within a minute. */
  readonly cert?: string;
  /** Its private key, without a passphrase. */
  readonly key?: string;
  /** Name in the certificate by which tasks call it. Default: the host of `address`. */
  readonly host?: string;
  /** CA that tasks must trust, where it is not one that all systems know: given to them in NODE_EXTRA_CA_CERTS. */
  readonly ca?: string;
  /** CA of clients: nobody without a certificate of it is let in. */
  readonly clientCa?: string;
}
