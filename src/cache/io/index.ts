/** `tenfold/cache`: what an app imports. Runs on Node (22 and later) and Bun. */
export type { BatchLoader } from "../batch.ts";
export type { Cache, Events, InvalidationInput, Reach } from "../cache.ts";
export type { Serializer } from "../codec.ts";
export type { CacheStats } from "../counters.ts";
export { CacheError, type CacheErrorCode } from "../errors.ts";
export type { EvictionName } from "../eviction/policies.ts";
export type { Explanation, ReadReason } from "../explain.ts";
export type { LoadContext, Loader } from "../loads.ts";
export { type RegionalOptions, type RegionalSource, regional } from "../regions.ts";
export type { Source, WriteContext } from "../source.ts";
export {
  cacheAside,
  type Reads,
  type ReadsAndWrites,
  readThrough,
  type StrategyOptions,
  writeThrough,
} from "../strategies.ts";
export type { Duration, TermsInput } from "../terms.ts";
export type { WriteLag } from "../write-behind.ts";
export {
  type ClusterSettings,
  type CreateCacheSettings,
  createCache,
  type ServerChange,
  setNodes,
} from "./create-cache.ts";
export { createPostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
export { createRedisStore, type RedisStoreOptions } from "./redis-store.ts";
export { type WriteBehind, type WriteBehindOptions, writeBehind } from "./write-behind.ts";
export { openWriteLog } from "./write-log.ts";
