/**
 * What an HTTP cache may do, as pure functions of messages, a rule's settings and the time: RFC 9111 and its
 * neighbours. `decide` is asked for each request, `storability` for each response of the upstream.
 */

export { type KeyPlace, type KeySource, writeKey } from "./cache-key.ts";
export { isNotModified } from "./conditional.ts";
export {
  type BypassReason,
  type Conditions,
  conditionsFor,
  type Decision,
  decide,
  type RevalidateReason,
  type StaleReason,
} from "./decision.ts";
export { afterFailure, type Fallback, type FallbackRefusal, isFailure } from "./failure.ts";
export { clientFields, notModifiedFields, storedFields } from "./fields.ts";
export type { LifetimeSource } from "./freshness.ts";
export { formatHttpDate, parseHttpDate } from "./http-date.ts";
export { groupsOf, invalidatedGroups, invalidatedUrls, invalidates } from "./invalidation.ts";
export { type CacheKeyRule, DEFAULT_KEY_RULE } from "./key-rule.ts";
export { type CacheRequest, type CacheResponse, type Exchange, type FieldLine, valueIn } from "./message.ts";
export { type CachePolicy, DEFAULT_POLICY } from "./policy.ts";
export { contentRange, type Selection, selectRange } from "./range.ts";
export {
  firstWanted,
  isSameRepresentation,
  judgeSlice,
  pinningField,
  type Representation,
  type SliceAsked,
  type SliceRefusal,
  type SliceVerdict,
  type Span,
  spanOf,
  strongValidator,
} from "./slices.ts";
export { type RefusalReason, type Storability, storability, withheldFields } from "./storability.ts";
export { ageMs, ageSeconds, FLAG, freshForMs, type StoredMeta } from "./stored-meta.ts";
export { type Tags, tagsOf } from "./tags.ts";
export { type Stored, type Update, updateFrom304, updateFromHead } from "./update.ts";
export { cameStale } from "./upstream-cache.ts";
export { matchesVariant, normalizeEncodings, selectingValues, selectVariant } from "./vary.ts";
