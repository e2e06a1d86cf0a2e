/** What people ask to be purged, and what that means to the store. */
export { type KeyHasher, type TargetUrl, tagHash, urlHash } from "./hashes.ts";
export { describePurge, logPortions, PurgeLog, type PurgeRecord } from "./log.ts";
export { type PurgeContext, purgesOf } from "./purges-of.ts";
export {
  describeItem,
  PURGE_ITEMS_MAX,
  type PurgeItem,
  type PurgeReading,
  type PurgeRequest,
  readPurgeRequest,
} from "./request.ts";
