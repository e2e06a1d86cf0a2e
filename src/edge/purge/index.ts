/** What people ask to be purged, and what that means to the store. */
export { Delivery, type Due, type Repeat, SHIELD_WAIT_MS } from "./delivery.ts";
export { type KeyHasher, type TargetUrl, tagHash, urlHash } from "./hashes.ts";
export { describePurge, logPortions, PurgeLog, type PurgeRecord } from "./log.ts";
export {
  BATCH_PURGES_MAX,
  isBatchProblem,
  type PurgeBatch,
  type PurgeJson,
  type PurgePosition,
  type Receipt,
  readPurgeBatch,
  receive,
} from "./propagation.ts";
export { type PurgeContext, purgesOf } from "./purges-of.ts";
export {
  describeItem,
  PURGE_ITEMS_MAX,
  type PurgeItem,
  type PurgeReading,
  type PurgeRequest,
  readPurgeRequest,
} from "./request.ts";
