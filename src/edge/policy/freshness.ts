/** How long a response is fresh and how old it already is when it comes (RFC 9111 §4.2). */
import { type Directives, isPragmaNoCache, parseAge } from "./cache-control.ts";
import { parseHttpDate } from "./http-date.ts";
import type { CacheResponse, Exchange } from "./message.ts";
import type { CachePolicy } from "./policy.ts";
import type { Control } from "./targeted.ts";

/** Where a lifetime comes from. These words reach log and console unchanged. */
export type LifetimeSource =
  /** The rule's `ttlMs`. */
  | "override"
  | "s-maxage"
  | "max-age"
  | "expires"
  /** The rule's `negativeTtlMs`. */
  | "negative"
  | "heuristic"
  /** The rule's `defaultTtlMs`. */
  | "default"
  | "none";

/** A lifetime and its source; 0 from "none". */
export interface Lifetime {
  readonly ms: number;
  readonly source: LifetimeSource;
}

/** Statuses that may be reused without being told so (RFC 9110 §15.1), but 206, which is never stored. */
const HEURISTIC_STATUSES: readonly number[] = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/** A tenth of the time since the last change (RFC 9111 §4.2.2). */
const HEURISTIC_SHARE = 0.1;

/** Whether the response may be reused though it does not say for how long (RFC 9111 §3, last condition). */
export function isHeuristicallyCacheable(status: number, directives: Directives): boolean {
  return directives.isPublic || HEURISTIC_STATUSES.includes(status);
}

/** The lifetime of a response (RFC 9111 §4.2.1), counted from its Date. */
export function lifetimeOf(
  response: CacheResponse,
  control: Control,
  policy: CachePolicy,
  responseWallMs: number,
): Lifetime {
  const override = policy.ttlMs[response.status];
  if (override !== undefined) return { ms: override, source: "override" };
  const { maxAgeS, sMaxageS } = control.directives;
  if (sMaxageS !== undefined) return { ms: sMaxageS * 1000, source: "s-maxage" };
  if (maxAgeS !== undefined) return { ms: maxAgeS * 1000, source: "max-age" };
  const expires = control.isTargeted ? undefined : response.field("expires");
  if (expires !== undefined) return { ms: untilExpiry(expires, response, responseWallMs), source: "expires" };
  return impliedLifetime(response, control, policy, responseWallMs);
}

/** Age of the response when it came (RFC 9111 §4.2.3): from its Date or its Age, whichever says more. */
export function initialAgeMs(
  { response, requestWallMs, responseWallMs }: Exchange,
  date: number = dateMs(response, responseWallMs),
): number {
  const apparent = responseWallMs - date;
  const delay = Math.max(0, responseWallMs - requestWallMs);
  return Math.max(0, apparent, parseAge(response.field("age")) * 1000 + delay);
}

/** Its Date; when it came if it has none, or none that can be read. */
export function dateMs(response: CacheResponse, responseWallMs: number): number {
  const date = response.field("date");
  return (date === undefined ? undefined : parseHttpDate(date, responseWallMs)) ?? responseWallMs;
}

/** An Expires that is no date, or several of them, lies in the past (RFC 9111 §5.3). */
function untilExpiry(expires: string, response: CacheResponse, responseWallMs: number): number {
  const expiresMs = parseHttpDate(expires, responseWallMs);
  return expiresMs === undefined ? 0 : Math.max(0, expiresMs - dateMs(response, responseWallMs));
}

function impliedLifetime(
  response: CacheResponse,
  { directives }: Control,
  policy: CachePolicy,
  responseWallMs: number,
): Lifetime {
  const negative = policy.negativeTtlMs[response.status];
  if (negative !== undefined) return { ms: negative, source: "negative" };
  if (!isHeuristicallyCacheable(response.status, directives)) return NONE;
  const guess = policy.heuristic ? heuristicMs(response, responseWallMs) : 0;
  if (guess > 0) return { ms: Math.min(guess, policy.heuristicMaxMs), source: "heuristic" };
  return policy.defaultTtlMs > 0 ? { ms: policy.defaultTtlMs, source: "default" } : NONE;
}

const NONE: Lifetime = { ms: 0, source: "none" };

function heuristicMs(response: CacheResponse, responseWallMs: number): number {
  const lastModified = response.field("last-modified");
  if (lastModified === undefined || isPragmaNoCache(response.field("pragma"))) return 0;
  const changedMs = parseHttpDate(lastModified, responseWallMs);
  return changedMs === undefined ? 0 : (dateMs(response, responseWallMs) - changedMs) * HEURISTIC_SHARE;
}
