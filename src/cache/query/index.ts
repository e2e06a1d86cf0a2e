/** `tenfold/cache/query`: caches the answers of a PostgreSQL database, in commit order. Runs on Node and Bun. */
export type { Field } from "../../postgres/index.ts";
export type { Answer } from "./answer.ts";
export { type Cached, cacheQueries } from "./cache-queries.ts";
export type { FunctionRule } from "./catalog/resolve.ts";
export { type NotifyOptions, notifySql } from "./notify.ts";
export type { QueryCache, QueryCacheOptions, QueryExplanation } from "./query-cache.ts";
export { REASONS, type Reason } from "./reasons.ts";
export { memoryResults } from "./results/memory-results.ts";
export { type RespResultsOptions, respResults } from "./results/resp-results.ts";
export type { ResultStore, StoredAnswer } from "./results/results.ts";
export type { QueryCacheStats } from "./stats.ts";
export { memoryVersions } from "./versions/memory-versions.ts";
export { type RespCaller, type RespVersionsOptions, respVersions } from "./versions/resp-versions.ts";
export {
  EVERYTHING,
  SCHEMA,
  type TableVersions,
  type VersionStore,
  type WriteToken,
} from "./versions/versions.ts";
export { WriteUnmarkedError } from "./write-guard.ts";
