/** Conditions of a client, evaluated on a stored response (RFC 9110 §13, RFC 9111 §4.3.2). */
import { equalWeakly } from "./entity-tag.ts";
import { parseHttpDate } from "./http-date.ts";
import { splitList } from "./list.ts";
import type { CacheRequest } from "./message.ts";
import type { StoredMeta } from "./stored-meta.ts";

/**
 * Whether the client has this response already and gets a 304. If-None-Match counts before If-Modified-Since, and
 * neither says anything of a response that is no success. Only for a stored response that may be sent.
 */
export function isNotModified(request: CacheRequest, stored: StoredMeta, nowMs: number): boolean {
  if (!request.hasConditional || stored.status < 200 || stored.status > 299) return false;
  const ifNoneMatch = request.field("if-none-match");
  if (ifNoneMatch !== undefined) return matchesAny(ifNoneMatch, stored.etag);
  const since = request.field("if-modified-since");
  const sinceMs = since === undefined ? undefined : parseHttpDate(since, nowMs);
  return sinceMs !== undefined && modifiedMs(stored, nowMs) <= sinceMs;
}

function matchesAny(ifNoneMatch: string, etag: string): boolean {
  const tags = splitList(ifNoneMatch);
  return tags.includes("*") || tags.some((tag) => equalWeakly(tag, etag));
}

/** When the response last changed: no later than it was made. */
function modifiedMs(stored: StoredMeta, nowMs: number): number {
  return parseHttpDate(stored.lastModified, nowMs) ?? stored.dateMs;
}
