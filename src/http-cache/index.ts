/** Door of `http-cache`: what an app says of its responses, so that browsers and caches keep them right. Portable. */
export { type CacheRules, cacheControl, type Seconds } from "./cache-control.ts";
export {
  type CachedNodeRequest,
  type CachedNodeResponse,
  type CacheOptions,
  cachedResponse,
  checkCached,
  sendCached,
} from "./cached-response.ts";
export {
  type EntityTag,
  equalStrong,
  equalWeak,
  parseEtag,
  parseEtags,
  strongEtag,
  weakEtag,
} from "./etag.ts";
export { formatHttpDate, parseHttpDate } from "./http-date.ts";
export {
  type ConditionalRequest,
  evaluatePreconditions,
  type PreconditionOutcome,
  type Validators,
} from "./preconditions.ts";
export { addVary } from "./vary.ts";
