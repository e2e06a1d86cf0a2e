/** What of a stored response a client gets: whole, a part, or only that it has not changed (RFC 9110 §13.2.2). */
import {
  type CacheRequest,
  isNotModified,
  type Selection,
  type StoredMeta,
  selectRange,
} from "./policy/index.ts";

/** What to send. */
export type Evaluation = Selection | { readonly kind: "not-modified" };

const NOT_MODIFIED: Evaluation = { kind: "not-modified" };

/** Evaluates the conditions and the range of a GET or HEAD on a stored response with a body of `bodyBytes`. */
export function evaluate(
  request: CacheRequest,
  stored: StoredMeta,
  bodyBytes: number,
  nowMs: number,
): Evaluation {
  return isNotModified(request, stored, nowMs)
    ? NOT_MODIFIED
    : selectRange(request, stored, bodyBytes, nowMs);
}
