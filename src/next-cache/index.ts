/** Door of `next-cache`: a Next.js cache that all instances share. Portable. */
export {
  type BackendRead,
  markedWith,
  memoryBackend,
  type NextCacheBackend,
  type TagChange,
  type TagMark,
  UNMARKED,
} from "./backend.ts";
export type { CacheControl } from "./entry.ts";
export {
  type CacheHandlerValue,
  type GetContext,
  type NextCacheHandler,
  type NextCacheHandlerClass,
  type NextCacheOptions,
  nextCacheHandler,
  type SetContext,
} from "./handler.ts";
