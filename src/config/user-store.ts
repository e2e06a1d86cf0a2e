/** `stores` as a user writes them. */
import type { StoreEviction, StoreFsync, StoreUse } from "./store.ts";
import type { Size, UserAddress } from "./user-config.ts";

/** One store. Tasks find its URL in TENFOLD_STORE_NAME_URL, the name in capitals. */
export interface UserStore {
  /** "embedded:" for the one that tenfold runs; redis://…, rediss://…, valkey://…, valkeys://…; or pg://… for Postgres. */
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
}
