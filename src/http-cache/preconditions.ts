/**
 * Conditional requests (RFC 9110 §13): whether a request goes on, or is answered by 304 or 412.
 */
import { type EntityTag, equalStrong, equalWeak, parseEtag, parseEtags } from "./etag.ts";
import { parseHttpDate } from "./http-date.ts";

/** What the server has. */
export interface Validators {
  /** With quotes, as it is sent. */
  readonly etag?: string | undefined;
  /** Ms since the epoch. */
  readonly lastModifiedMs?: number | undefined;
}

/** The method, and its conditional fields by lower-case name. */
export interface ConditionalRequest {
  readonly method: string;
  readonly field: (
    name: "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since",
  ) => string | undefined;
}

/** What to do with a request. */
export type PreconditionOutcome = "proceed" | "not-modified" | "precondition-failed";

/**
 * Evaluates the conditions in the order of RFC 9110 §13.2.2. A malformed list of tags matches nothing; a malformed date
 * is ignored. Only for a request that would be answered by 2xx without its conditions.
 */
export function evaluatePreconditions(request: ConditionalRequest, current: Validators): PreconditionOutcome {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!passesMatch(request, current)) return "precondition-failed";
  const ifNoneMatch = request.field("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (!matches(ifNoneMatch, current, equalWeak)) return "proceed";
    return isRead ? "not-modified" : "precondition-failed";
  }
  if (!isRead) return "proceed";
  const sinceMs = parseHttpDate(request.field("if-modified-since") ?? "");
  const modifiedMs = wholeSeconds(current.lastModifiedMs);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs
    ? "not-modified"
    : "proceed";
}

/** If-Match, or without it If-Unmodified-Since. */
function passesMatch(request: ConditionalRequest, current: Validators): boolean {
  const ifMatch = request.field("if-match");
  if (ifMatch !== undefined) return matches(ifMatch, current, equalStrong);
  const unmodifiedMs = parseHttpDate(request.field("if-unmodified-since") ?? "");
  const modifiedMs = wholeSeconds(current.lastModifiedMs);
  return unmodifiedMs === undefined || modifiedMs === undefined || modifiedMs <= unmodifiedMs;
}

function matches(
  field: string,
  { etag }: Validators,
  equal: (one: EntityTag, other: EntityTag) => boolean,
): boolean {
  const asked = parseEtags(field);
  if (asked === "*") return true;
  const own = etag === undefined ? undefined : parseEtag(etag);
  return own !== undefined && asked !== undefined && asked.some((tag) => equal(tag, own));
}

/** Dates of HTTP know no milliseconds: with them a resource would always be newer than what was sent. */
function wholeSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000) * 1000;
}
