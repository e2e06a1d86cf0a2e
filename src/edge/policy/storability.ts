/** Whether a response may be stored, and what is remembered of it (RFC 9111 §3). */
import { METHOD } from "../../http/index.ts";
import { type Directives, requestDirectives } from "./cache-control.ts";
import { isDeceptive } from "./deception.ts";
import {
  dateMs,
  initialAgeMs,
  isHeuristicallyCacheable,
  type Lifetime,
  type LifetimeSource,
  lifetimeOf,
} from "./freshness.ts";
import type { CacheRequest, CacheResponse, Exchange } from "./message.ts";
import type { CachePolicy } from "./policy.ts";
import { FLAG, type StoredMeta } from "./stored-meta.ts";
import { type Control, controlOf } from "./targeted.ts";
import { cameStale } from "./upstream-cache.ts";
import { selectingValues, VARY_NAMES_MAX, varyNames } from "./vary.ts";

/** Why a response is not stored. These words reach log, metric, console and Cache-Status unchanged. */
export type RefusalReason =
  /** The request was neither GET nor a POST whose response says that it is what a GET would get. */
  | "method"
  | "request-no-store"
  /** A part of a whole (206). */
  | "partial"
  /** No final response, or one that means nothing without its request (304, 416). */
  | "status-not-cacheable"
  /** must-understand, and a status that this cache does not know. */
  | "must-understand"
  | "no-store"
  | "private"
  | "authorization"
  | "set-cookie"
  | "vary-star"
  | "vary-too-long"
  | "too-large"
  | "deception"
  /** It does not say how long it lives, and has no validator to ask with. */
  | "no-freshness"
  /** no-cache, and no validator to ask with. */
  | "no-cache"
  /** A cache before this one gave it out stale; or it came stale, and has no validator to ask with. */
  | "already-stale";

/** What is to become of a response. */
export type Storability =
  | {
      readonly kind: "store";
      readonly meta: StoredMeta;
      readonly source: LifetimeSource;
      /** Fields that it keeps out of the store itself, in small letters (see `withheldFields`). */
      readonly withheld: readonly string[];
    }
  | { readonly kind: "no"; readonly reason: RefusalReason };

/** Statuses that tell something about a single request only, and 206, whose parts are not put together. */
const NEVER_STORED: readonly number[] = [304, 416];

const COOKIES: readonly string[] = ["set-cookie", "set-cookie2"];

/** Final statuses that this cache handles as their definitions ask, for must-understand (RFC 9111 §5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
  410, 411, 412, 413, 414, 415, 417, 421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511,
]);

/** Decides about a response whose head has come. */
export function storability(exchange: Exchange, policy: CachePolicy): Storability {
  const { request, response } = exchange;
  if (request.method !== METHOD.get) {
    const { directives } = controlOf(response, policy.targetedFields);
    if (!isWhatGetWouldGive(request, response, directives)) return { kind: "no", reason: "method" };
  }
  return storabilityOfGet(exchange, policy);
}

/** The same for a response that is known to be what a GET would get: one that was stored and is now updated. */
export function storabilityOfGet(exchange: Exchange, policy: CachePolicy): Storability {
  const control = controlOf(exchange.response, policy.targetedFields);
  const lifetime = lifetimeOf(exchange.response, control, policy, exchange.responseWallMs);
  const meta = describe(exchange, control, lifetime, policy);
  const reason =
    refusedByRequest(exchange.request, control.directives, policy) ??
    refusedByStatus(exchange.response.status, control.directives) ??
    refusedByResponse(exchange, control.directives, policy) ??
    refusedByAge(meta, lifetime, control.directives);
  if (reason !== undefined) return { kind: "no", reason };
  return { kind: "store", meta, source: lifetime.source, withheld: control.directives.fields };
}

/** The fields that a private="…" or no-cache="…" keeps out of the store, in small letters. */
export function withheldFields(exchange: Exchange, policy: CachePolicy): readonly string[] {
  return controlOf(exchange.response, policy.targetedFields).directives.fields;
}

function refusedByRequest(
  request: CacheRequest,
  directives: Directives,
  policy: CachePolicy,
): RefusalReason | undefined {
  if (policy.requestDirectives && request.hasCacheControl) {
    if (requestDirectives((name) => request.field(name)).noStore) return "request-no-store";
  }
  const isShared = policy.allowAuthorization || isForAuthorized(directives);
  return request.hasAuthorization && !isShared ? "authorization" : undefined;
}

/** A POST may answer later GETs when it says how long, and that it is the resource itself (RFC 9110 §9.3.3). */
function isWhatGetWouldGive(request: CacheRequest, response: CacheResponse, directives: Directives): boolean {
  const isExplicit =
    directives.maxAgeS !== undefined ||
    directives.sMaxageS !== undefined ||
    response.field("expires") !== undefined;
  return (
    request.method === METHOD.post && isExplicit && response.field("content-location") === request.target
  );
}

function refusedByStatus(status: number, directives: Directives): RefusalReason | undefined {
  if (status === 206) return "partial";
  if (status < 200 || NEVER_STORED.includes(status)) return "status-not-cacheable";
  return directives.mustUnderstand && !UNDERSTOOD.has(status) ? "must-understand" : undefined;
}

function refusedByResponse(
  { request, response }: Exchange,
  directives: Directives,
  policy: CachePolicy,
): RefusalReason | undefined {
  if (directives.noStore && !directives.mustUnderstand) return "no-store";
  if (directives.isPrivate) return "private";
  if (!policy.allowSetCookie && setsCookie(response, directives)) return "set-cookie";
  if (cameStale(response)) return "already-stale";
  const names = varyNames(response.field("vary"));
  if (names === "*") return "vary-star";
  if (names.length > VARY_NAMES_MAX) return "vary-too-long";
  if ((response.bodyBytes ?? 0) > policy.maxObjectBytes) return "too-large";
  const isChecked = policy.deceptionCheck && isDeceptive(request, response.field("content-type"));
  return isChecked ? "deception" : undefined;
}

/** Whether a cookie would be stored: one that the response itself keeps out of the store would not. */
function setsCookie(response: CacheResponse, { fields }: Directives): boolean {
  return COOKIES.some((name) => response.field(name) !== undefined && !fields.includes(name));
}

/** What cannot be used without asking, and cannot be asked about either, would only take room. */
function refusedByAge(
  meta: StoredMeta,
  lifetime: Lifetime,
  directives: Directives,
): RefusalReason | undefined {
  const hasValidator = meta.etag !== "" || meta.lastModified !== "";
  if (lifetime.source === "none") {
    return hasValidator && isHeuristicallyCacheable(meta.status, directives) ? undefined : "no-freshness";
  }
  if (hasValidator) return undefined;
  if (directives.noCache) return "no-cache";
  const { staleWhileRevalidateS = 0, staleIfErrorS = 0 } = directives;
  const saidMs = Math.max(staleWhileRevalidateS, staleIfErrorS) * 1000;
  return meta.lifetimeMs + saidMs <= meta.initialAgeMs ? "already-stale" : undefined;
}

function describe(exchange: Exchange, control: Control, lifetime: Lifetime, policy: CachePolicy): StoredMeta {
  const { request, response, requestWallMs, responseWallMs } = exchange;
  const { directives } = control;
  const names = varyNames(response.field("vary"));
  const joinedNames = names === "*" ? names : names.join(",");
  const date = dateMs(response, responseWallMs);
  return {
    status: response.status,
    requestWallMs,
    responseWallMs,
    initialAgeMs: initialAgeMs(exchange, date),
    lifetimeMs: lifetime.ms,
    flags: flagsOf(directives, lifetime.source),
    staleWhileRevalidateMs: staleUseMs(
      directives,
      directives.staleWhileRevalidateS,
      policy.staleWhileRevalidateMs,
    ),
    staleIfErrorMs: staleUseMs(directives, directives.staleIfErrorS, policy.staleIfErrorMs),
    dateMs: date,
    varyNames: joinedNames,
    varyValues: selectingValues(joinedNames, request),
    contentLanguage: (response.field("content-language") ?? "").toLowerCase(),
    etag: response.field("etag") ?? "",
    lastModified: response.field("last-modified") ?? "",
  };
}

/**
 * How long past its lifetime a response may be used. s-maxage forbids it as proxy-revalidate does, yet everyone who
 * writes "s-maxage=1, stale-while-revalidate=59" means the second: what the response says in so many words counts,
 * and only the rule's default does not.
 */
function staleUseMs(directives: Directives, saidS: number | undefined, defaultMs: number): number {
  if (directives.noCache || directives.mustRevalidate || directives.proxyRevalidate) return 0;
  if (saidS !== undefined) return saidS * 1000;
  return directives.sMaxageS === undefined ? defaultMs : 0;
}

/** Whether a response to a request with Authorization may be stored for others (RFC 9111 §3.5). */
function isForAuthorized({ isPublic, mustRevalidate, sMaxageS }: Directives): boolean {
  return isPublic || mustRevalidate || sMaxageS !== undefined;
}

function flagsOf(directives: Directives, source: LifetimeSource): number {
  return (
    (directives.noCache ? FLAG.noCache : 0) |
    (directives.mustRevalidate ? FLAG.mustRevalidate : 0) |
    (directives.proxyRevalidate ? FLAG.proxyRevalidate : 0) |
    (directives.sMaxageS === undefined ? 0 : FLAG.sharedMaxAge) |
    (directives.immutable ? FLAG.immutable : 0) |
    (isForAuthorized(directives) ? FLAG.authorized : 0) |
    (source === "heuristic" ? FLAG.heuristic : 0)
  );
}
