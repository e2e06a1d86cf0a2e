/** The edge cache: what may be kept and served (`policy/`), and where it is kept (`store/`). Pure; files are in `io/`. */
export { type Evaluation, evaluate } from "./evaluate.ts";
export { type CacheKeyRule, type KeyedRequest, type KeyPlace, urlKey, writeCacheKey } from "./key.ts";
export * from "./policy/index.ts";
export * from "./purge/index.ts";
export * from "./store/index.ts";
export { layOutHead, type StoredHead, StoredResponse, varyKey, writeMeta } from "./stored-response.ts";
export { groupsIn, tagsOf } from "./tags.ts";
