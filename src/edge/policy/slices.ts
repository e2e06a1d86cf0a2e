/**
 * A large body in slices: parts of one size, each asked for (RFC 9110 §14) and stored by itself, put together only when
 * they are of one representation.
 *
 * That is told by a strong validator (RFC 9110 §8.8.1) and the length of the whole: slices that differ in either are never
 * sent in one response. Whoever has begun to send one representation asks for its other slices with a precondition, so that
 * an origin with another one says 412 instead of sending it.
 */
import { METHOD } from "../../http/index.ts";
import { isStrong } from "./entity-tag.ts";
import { dateMs as dateOf } from "./freshness.ts";
import { parseHttpDate } from "./http-date.ts";
import type { CacheRequest, CacheResponse } from "./message.ts";
import { STRONG_AFTER_MS } from "./range.ts";

/** What all slices of a body have in common. */
export interface Representation {
  /** A strong entity tag, or a Last-Modified that is as good as one. */
  readonly validator: string;
  readonly totalBytes: number;
}

/** A part of a body as Content-Range names it; `first` and `last` are included. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly totalBytes: number;
}

/** The slice that a request to the origin is for. */
export interface SliceAsked {
  readonly first: number;
  /** The last byte of a whole slice; the body may end before it. */
  readonly last: number;
  /** What it has to be of; undefined for the first that is asked for. */
  readonly of: Representation | undefined;
}

/** Why an answer is no slice. These words reach log, metric, console and Cache-Status unchanged. */
export type SliceRefusal =
  /** It cannot be told whether two slices are of one representation. */
  | "slice-no-validator"
  /** Content-Range is missing, contradicts itself or the length of the body, or is not the range asked for. */
  | "slice-mismatch"
  /** It is of another representation than the slices before it. */
  | "slice-changed"
  /** The body ends before the slice begins (416). */
  | "slice-unsatisfiable"
  /** In the middle of a body the origin answers with an error. */
  | "slice-failed";

/** What the answer to a request for a slice is. */
export type SliceVerdict =
  | { readonly kind: "slice"; readonly span: Span; readonly of: Representation }
  /** The body is no longer than this slice: the answer is as good as a 200. */
  | { readonly kind: "all"; readonly span: Span }
  /** The origin knows no ranges, or answers something else than the body: a response like any other. */
  | { readonly kind: "plain" }
  | { readonly kind: "no"; readonly reason: SliceRefusal };

const CONTENT_RANGE = /^bytes[ \t]+([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/i;
const FROM = /^bytes=[ \t]*([0-9]{1,15})-[0-9]*[ \t]*$/i;

const PLAIN: SliceVerdict = { kind: "plain" };

/** The span of a Content-Range; undefined when there is none, of unknown length, or one that contradicts itself. */
export function spanOf(contentRange: string | undefined): Span | undefined {
  const [, from, to, total] = CONTENT_RANGE.exec(contentRange ?? "") ?? [];
  if (from === undefined) return undefined;
  const span = { first: Number(from), last: Number(to), totalBytes: Number(total) };
  return span.first <= span.last && span.last < span.totalBytes ? span : undefined;
}

/**
 * The number of the slice that a request wants first, as far as that can be told before the length is known: that of the
 * last bytes of a body cannot, and slice 0 tells the length.
 */
export function firstWanted(request: CacheRequest, sliceBytes: number): number {
  if (!request.hasRange || request.method !== METHOD.get) return 0;
  const [, from = "0"] = FROM.exec(request.field("range") ?? "") ?? [];
  return Math.floor(Number(from) / sliceBytes);
}

/** The strong validator of a response; undefined when it has none. */
export function strongValidator(
  {
    etag,
    lastModified,
    dateMs,
  }: { readonly etag: string; readonly lastModified: string; readonly dateMs: number },
  nowMs: number,
): string | undefined {
  if (isStrong(etag)) return etag;
  const modifiedMs = parseHttpDate(lastModified, nowMs);
  return modifiedMs !== undefined && dateMs - modifiedMs >= STRONG_AFTER_MS ? lastModified : undefined;
}

/** The field by which the origin is to send only what is of this representation (RFC 9110 §13.1.1, §13.1.4). */
export function pinningField({ validator }: Representation): string {
  return validator.startsWith('"') ? `If-Match: ${validator}` : `If-Unmodified-Since: ${validator}`;
}

/** Whether two slices may be parts of one response. */
export function isSameRepresentation(a: Representation, b: Representation): boolean {
  return a.validator === b.validator && a.totalBytes === b.totalBytes;
}

/** Judges the answer to a request for a slice, which came at `nowMs`. */
export function judgeSlice(asked: SliceAsked, response: CacheResponse, nowMs: number): SliceVerdict {
  const { status } = response;
  if (status === 206) return judgePart(asked, response, nowMs);
  if (status === 416) return no("slice-unsatisfiable");
  if (asked.of === undefined) return PLAIN;
  // 200: the origin would send the whole again, as it does for another representation than the one that was asked for.
  return no(status === 412 || status === 200 ? "slice-changed" : "slice-failed");
}

function judgePart(asked: SliceAsked, response: CacheResponse, nowMs: number): SliceVerdict {
  const span = spanOf(response.field("content-range"));
  if (span === undefined || !isAsAsked(asked, span)) return no("slice-mismatch");
  const length = span.last - span.first + 1;
  if (response.bodyBytes !== undefined && response.bodyBytes !== length) return no("slice-mismatch");
  if (length === span.totalBytes && asked.of === undefined) return { kind: "all", span };
  const etag = response.field("etag") ?? "";
  const lastModified = response.field("last-modified") ?? "";
  const validator = strongValidator({ etag, lastModified, dateMs: dateOf(response, nowMs) }, nowMs);
  if (validator === undefined) return no(asked.of === undefined ? "slice-no-validator" : "slice-changed");
  const of = { validator, totalBytes: span.totalBytes };
  if (asked.of !== undefined && !isSameRepresentation(asked.of, of)) return no("slice-changed");
  return { kind: "slice", span, of };
}

/** Whether the whole slice came, or all of it that there is. */
function isAsAsked({ first, last }: SliceAsked, span: Span): boolean {
  return span.first === first && span.last === Math.min(last, span.totalBytes - 1);
}

function no(reason: SliceRefusal): SliceVerdict {
  return { kind: "no", reason };
}
