/** What of a stored response a client gets: whole, a part, or only that it has not changed (RFC 9110 §13, §14). */
import {
  type CacheRequest,
  equalStrongly,
  equalWeakly,
  parseHttpDate,
  type StoredMeta,
} from "./policy/index.ts";

/** What to send. `end` is exclusive. */
export type Evaluation =
  | { readonly kind: "whole" }
  | { readonly kind: "not-modified" }
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

const WHOLE: Evaluation = { kind: "whole" };

/** Evaluates the conditions and the range of a GET or HEAD, in the order of RFC 9110 §13.2.2. */
export function evaluate(
  request: CacheRequest,
  stored: StoredMeta,
  bodyBytes: number,
  nowMs: number,
): Evaluation {
  // Conditions ask about the selected representation of a 200 (RFC 9110 §13.2.1).
  if (stored.status !== 200) return WHOLE;
  if (request.hasConditional && isUnchanged(request, stored, nowMs)) return { kind: "not-modified" };
  if (!request.hasRange || !isRangeWanted(request, stored)) return WHOLE;
  return rangeOf(request.field("range") ?? "", bodyBytes);
}

function isUnchanged(request: CacheRequest, stored: StoredMeta, nowMs: number): boolean {
  const ifNoneMatch = request.field("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === "*") return true;
    return tagsIn(ifNoneMatch).some((tag) => equalWeakly(tag, stored.etag));
  }
  const since = parseHttpDate(request.field("if-modified-since") ?? "", nowMs);
  if (since === undefined) return false;
  // Without a Last-Modified the response is as old as its Date (RFC 9111 §4.3.2).
  const changed = parseHttpDate(stored.lastModified, nowMs) ?? stored.dateMs;
  return changed <= since;
}

/** The entity tags of a list; commas may stand inside of one. */
function tagsIn(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** If-Range: the part only of the very same body (RFC 9110 §13.1.5). */
function isRangeWanted(request: CacheRequest, stored: StoredMeta): boolean {
  const ifRange = request.field("if-range");
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"') || ifRange.startsWith("W/")) return equalStrongly(ifRange, stored.etag);
  return stored.lastModified !== "" && ifRange === stored.lastModified;
}

const RANGE = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i;

/** One range of bytes; several, and any other unit, get the whole. */
function rangeOf(range: string, bodyBytes: number): Evaluation {
  const [, first, last] = RANGE.exec(range) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return WHOLE;
  if (first === "") {
    const suffix = Number(last);
    if (suffix === 0 || bodyBytes === 0) return { kind: "unsatisfiable" };
    return { kind: "part", start: Math.max(0, bodyBytes - suffix), end: bodyBytes };
  }
  const start = Number(first);
  const end = last === "" ? bodyBytes : Math.min(bodyBytes, Number(last) + 1);
  if (last !== "" && Number(last) < start) return WHOLE;
  return start >= bodyBytes ? { kind: "unsatisfiable" } : { kind: "part", start, end };
}
