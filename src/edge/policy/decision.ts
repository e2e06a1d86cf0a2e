/**
 * What to do with a request, given the stored response that was found for it (RFC 9111 §4).
 *
 *   hit         send the stored response
 *   stale       send it, and refresh it meanwhile
 *   revalidate  ask the upstream, with the conditions named, before anything is sent
 *   miss        fetch
 *   bypass      forward, and leave the store alone
 *   gateway-timeout   answer 504: the client wants no fetch
 *
 * A fresh response to a plain request costs a few comparisons of numbers and allocates nothing.
 */
import { METHOD } from "../../http/index.ts";
import { type Directives, noDirectives, requestDirectives } from "./cache-control.ts";
import type { CacheRequest } from "./message.ts";
import type { CachePolicy } from "./policy.ts";
import { ageMs, FLAG, type StoredMeta } from "./stored-meta.ts";

/** Why a stored response is sent before the upstream is asked, though it is stale. */
export type StaleReason = "stale-while-revalidate" | "request-max-stale";

/** Why the upstream has to be asked about a stored response. */
export type RevalidateReason =
  | "expired"
  | "must-revalidate"
  | "no-cache"
  | "request-no-cache"
  | "request-max-age"
  | "request-min-fresh"
  /** Soft purge. */
  | "purged"
  /** An unsafe request changed the resource. */
  | "invalidated";

/** Why a request goes around the cache. */
export type BypassReason =
  | "method"
  | "request-no-store"
  /** If-Match or If-Unmodified-Since, which only the origin may evaluate (RFC 9111 §4.3.2). */
  | "precondition";

/** What to do. The words of `reason` reach log, metric, console and Cache-Status unchanged. */
export type Decision =
  | { readonly kind: "hit"; readonly reason: "fresh" }
  | { readonly kind: "stale"; readonly reason: StaleReason }
  | { readonly kind: "revalidate"; readonly reason: RevalidateReason; readonly conditions: Conditions }
  /** "authorization": what is stored may not be for someone with credentials. Only `absent` may be collapsed. */
  | { readonly kind: "miss"; readonly reason: "absent" | "authorization" }
  | { readonly kind: "bypass"; readonly reason: BypassReason }
  | { readonly kind: "gateway-timeout"; readonly reason: "only-if-cached" };

/**
 * Fields that make a request conditional. They replace the client's own If- fields, and without them (no validator
 * is known) the request is a plain one. The client's conditions are evaluated afterwards, on what is then stored.
 */
export interface Conditions {
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
}

const HIT: Decision = { kind: "hit", reason: "fresh" };
const STALE_WHILE_REVALIDATE: Decision = { kind: "stale", reason: "stale-while-revalidate" };
const MAX_STALE: Decision = { kind: "stale", reason: "request-max-stale" };
const ABSENT: Decision = { kind: "miss", reason: "absent" };
const AUTHORIZATION: Decision = { kind: "miss", reason: "authorization" };
const METHOD_BYPASS: Decision = { kind: "bypass", reason: "method" };
const NO_STORE_BYPASS: Decision = { kind: "bypass", reason: "request-no-store" };
const PRECONDITION_BYPASS: Decision = { kind: "bypass", reason: "precondition" };
const ONLY_IF_CACHED: Decision = { kind: "gateway-timeout", reason: "only-if-cached" };

/** Any of these makes age and lifetime not the whole story. */
const NEEDS_CARE = FLAG.noCache | FLAG.purged | FLAG.invalidated;

/** Never used once stale, whatever the client would take (RFC 9111 §4.2.4). */
const NEVER_STALE = FLAG.noCache | FLAG.mustRevalidate | FLAG.proxyRevalidate | FLAG.sharedMaxAge;

const NO_DIRECTIVES: Directives = noDirectives();

/** Decides. `stored` is the variant that matches the request (`selectVariant`), or undefined. */
export function decide(
  request: CacheRequest,
  stored: StoredMeta | undefined,
  policy: CachePolicy,
  nowMs: number,
): Decision {
  if (request.method !== METHOD.get && request.method !== METHOD.head) return METHOD_BYPASS;
  const isPlain = !request.hasCacheControl && !request.hasConditional && !request.hasAuthorization;
  const isFresh =
    stored !== undefined && (stored.flags & NEEDS_CARE) === 0 && ageMs(stored, nowMs) < stored.lifetimeMs;
  return isPlain && isFresh ? HIT : decideWithCare(request, stored, policy, nowMs);
}

function decideWithCare(
  request: CacheRequest,
  stored: StoredMeta | undefined,
  policy: CachePolicy,
  nowMs: number,
): Decision {
  const asked =
    policy.requestDirectives && request.hasCacheControl
      ? requestDirectives((name) => request.field(name))
      : NO_DIRECTIVES;
  const decision = bypassFor(request, asked) ?? decideOnStored(request, stored, asked, policy, nowMs);
  const isAnswered = decision.kind === "hit" || decision.kind === "stale";
  return asked.onlyIfCached && !isAnswered ? ONLY_IF_CACHED : decision;
}

function bypassFor(request: CacheRequest, asked: Directives): Decision | undefined {
  if (asked.noStore) return NO_STORE_BYPASS;
  return request.hasConditional && isForOrigin(request) ? PRECONDITION_BYPASS : undefined;
}

function decideOnStored(
  request: CacheRequest,
  stored: StoredMeta | undefined,
  asked: Directives,
  policy: CachePolicy,
  nowMs: number,
): Decision {
  if (stored === undefined) return ABSENT;
  const isForAll = policy.allowAuthorization || (stored.flags & FLAG.authorized) !== 0;
  if (request.hasAuthorization && !isForAll) return AUTHORIZATION;
  const reason = mustAsk(stored, asked, nowMs);
  return reason === undefined ? decideOnAge(stored, asked, nowMs) : revalidate(stored, reason);
}

/** Reasons to ask the upstream even about a fresh response. */
function mustAsk(stored: StoredMeta, asked: Directives, nowMs: number): RevalidateReason | undefined {
  if ((stored.flags & FLAG.invalidated) !== 0) return "invalidated";
  if ((stored.flags & FLAG.noCache) !== 0) return "no-cache";
  if (asked.noCache) return "request-no-cache";
  const age = ageMs(stored, nowMs);
  // At max-age=0 a response that came this very millisecond is too old as well: that is what a reload asks for.
  if (asked.maxAgeS !== undefined && (age > asked.maxAgeS * 1000 || asked.maxAgeS === 0))
    return "request-max-age";
  const isFreshEnough = stored.lifetimeMs - age >= (asked.minFreshS ?? 0) * 1000;
  return asked.minFreshS !== undefined && !isFreshEnough ? "request-min-fresh" : undefined;
}

function decideOnAge(stored: StoredMeta, asked: Directives, nowMs: number): Decision {
  const isPurged = (stored.flags & FLAG.purged) !== 0;
  const pastLifetimeMs = ageMs(stored, nowMs) - stored.lifetimeMs;
  const staleMs = isPurged ? Math.max(0, pastLifetimeMs) : pastLifetimeMs;
  if (staleMs < 0) return HIT;
  if (staleMs < stored.staleWhileRevalidateMs) return STALE_WHILE_REVALIDATE;
  if (isPurged) return revalidate(stored, "purged");
  const isAllowed = (stored.flags & NEVER_STALE) === 0;
  if (isAllowed && asked.maxStaleS !== undefined && staleMs <= asked.maxStaleS * 1000) return MAX_STALE;
  return revalidate(stored, isAllowed ? "expired" : "must-revalidate");
}

/** Conditions from every validator there is (RFC 9111 §4.3.1): a target that knows no entity tags sees the date. */
export function conditionsFor(stored: StoredMeta): Conditions {
  return {
    ...(stored.etag === "" ? {} : { ifNoneMatch: stored.etag }),
    ...(stored.lastModified === "" ? {} : { ifModifiedSince: stored.lastModified }),
  };
}

function revalidate(stored: StoredMeta, reason: RevalidateReason): Decision {
  return { kind: "revalidate", reason, conditions: conditionsFor(stored) };
}

function isForOrigin(request: CacheRequest): boolean {
  return request.field("if-match") !== undefined || request.field("if-unmodified-since") !== undefined;
}
