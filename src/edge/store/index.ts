/** The shared-memory object store of the edge cache. Pure: it is given a block of memory, times and liveness. */
export type { IsAlive } from "./columns.ts";
export {
  CACHED_AS,
  type CachedAs,
  type CacheResult,
  type Counter,
  cachedAs,
  EVICTIONS,
  type Eviction,
  NOT_KEPT,
  type NotKept,
  type ReasonOf,
  type Refusal,
} from "./counters.ts";
export { type CacheCounts, countsOf, hitsOf, type ResultCount } from "./counts.ts";
export type { Entry } from "./entry.ts";
export { FLIGHT, type Flights, type Markers } from "./flights.ts";
export {
  BLOCK_BYTES_MAX,
  BLOCK_BYTES_MIN,
  formatStore,
  HEADER,
  openBlock,
  pidsIn,
  type StoreOptions,
  type StoreSizes,
  sameSizes,
  sizesFor,
} from "./layout.ts";
export type { Purge } from "./purges.ts";
export { META_WORDS, TAGS_MAX } from "./record.ts";
export type { Reservation, ReserveRequest } from "./reservation.ts";
export { Store, type StoreStats, type StoreUser } from "./store.ts";
export { VARIANTS_MAX } from "./writer.ts";
