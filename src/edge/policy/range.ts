/** One range of bytes out of a complete stored body (RFC 9110 §14). Several ranges at once get the whole. */
import { METHOD } from "../../http/index.ts";
import { equalStrongly } from "./entity-tag.ts";
import { parseHttpDate } from "./http-date.ts";
import { trimBlanks } from "./list.ts";
import type { CacheRequest } from "./message.ts";
import type { StoredMeta } from "./stored-meta.ts";

/** What part of the body a request gets; `first` and `last` are included. */
export type Selection =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  /** Nothing of the body is meant: 416. */
  | { readonly kind: "unsatisfiable" };

const WHOLE: Selection = { kind: "whole" };
const UNSATISFIABLE: Selection = { kind: "unsatisfiable" };

const ONE_RANGE = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;

/** A Last-Modified so much older than Date is as good as a strong tag (RFC 9110 §8.8.2.2). */
export const STRONG_AFTER_MS = 1000;

/** The part of a stored 200 with a body of `bodyBytes` that the request asks for, after its other conditions. */
export function selectRange(
  request: CacheRequest,
  stored: StoredMeta,
  bodyBytes: number,
  nowMs: number,
): Selection {
  if (!request.hasRange || request.method !== METHOD.get || stored.status !== 200) return WHOLE;
  const [, from, to] = ONE_RANGE.exec(request.field("range") ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return WHOLE;
  const isInverted = from !== "" && to !== "" && Number(to) < Number(from);
  if (isInverted || !ifRangeHolds(request, stored, nowMs)) return WHOLE;
  return from === "" ? suffix(Number(to), bodyBytes) : part(Number(from), to, bodyBytes);
}

/** The Content-Range of a 206, or of a 416, for a body of `bodyBytes`. */
export function contentRange(selection: Exclude<Selection, { kind: "whole" }>, bodyBytes: number): string {
  return selection.kind === "part"
    ? `bytes ${selection.first}-${selection.last}/${bodyBytes}`
    : `bytes */${bodyBytes}`;
}

function suffix(length: number, bodyBytes: number): Selection {
  if (length === 0) return UNSATISFIABLE;
  // The last bytes of nothing can be had (RFC 9110 §14.1.2), but no Content-Range can say so.
  if (bodyBytes === 0) return WHOLE;
  return { kind: "part", first: Math.max(0, bodyBytes - length), last: bodyBytes - 1 };
}

function part(first: number, to: string, bodyBytes: number): Selection {
  if (first >= bodyBytes) return UNSATISFIABLE;
  return { kind: "part", first, last: to === "" ? bodyBytes - 1 : Math.min(Number(to), bodyBytes - 1) };
}

/** If-Range (RFC 9110 §13.1.5): a part is of use only to someone who holds the rest of this very body. */
function ifRangeHolds(request: CacheRequest, stored: StoredMeta, nowMs: number): boolean {
  const ifRange = request.field("if-range");
  if (ifRange === undefined) return true;
  const validator = trimBlanks(ifRange);
  const modifiedMs = parseHttpDate(validator, nowMs);
  if (modifiedMs === undefined) return equalStrongly(validator, stored.etag);
  return validator === stored.lastModified && stored.dateMs - modifiedMs >= STRONG_AFTER_MS;
}
