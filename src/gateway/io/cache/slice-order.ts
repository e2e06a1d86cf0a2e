/** Slices of one body: what each is found by, how it is asked for, and what it says of the others. */
import {
  firstWanted,
  isSameRepresentation,
  pinningField,
  type Representation,
  type Span,
  type StoredResponse,
  spanOf,
  strongValidator,
} from "../../../edge/index.ts";
import { asBytes } from "../../../http/index.ts";
import type { CacheKey } from "./cache-key.ts";
import type { Edge } from "./edge.ts";
import type { SliceOrder } from "./fetch-order.ts";
import type { Recording } from "./recording.ts";
import type { RuleCache } from "./rule-cache.ts";

/** In small letters. */
export const CONTENT_RANGE: Uint8Array = asBytes("content-range");

/** A slice, and what it is found by. */
export interface KeyedSlice {
  readonly key: CacheKey;
  readonly slice: SliceOrder;
}

/** Where a slice is asked for, found by and what it is to be of. */
export function sliceOrder(
  edge: Edge,
  whole: CacheKey,
  {
    number,
    sliceBytes,
    of,
  }: { readonly number: number; readonly sliceBytes: number; readonly of?: Representation },
): KeyedSlice {
  const first = number * sliceBytes;
  const asked = { first, last: first + sliceBytes - 1, of };
  return { key: edge.keyBehind(whole, `${sliceBytes}/${number}`), slice: { number, asked, whole } };
}

/** The lines by which a slice is asked for. */
export function sliceLines({ asked }: SliceOrder): string[] {
  const range = `Range: bytes=${asked.first}-${asked.last}`;
  return asked.of === undefined ? [range] : [range, pinningField(asked.of)];
}

/** What a stored slice is of; undefined when it does not say. */
export function representationOf(stored: StoredResponse, nowMs: number): Representation | undefined {
  const span = spanOf(stored.clientField(CONTENT_RANGE));
  const validator = strongValidator(stored, nowMs);
  return span === undefined || validator === undefined
    ? undefined
    : { validator, totalBytes: span.totalBytes };
}

/**
 * The slice that the request in the view wants first, after a look at the whole that found nothing, and what is stored of
 * it. Undefined where bodies are not fetched in slices, or this one cannot be.
 */
export function wantedSlice(
  edge: Edge,
  { sliceBytes }: RuleCache,
  nowMs: number,
): { readonly first: KeyedSlice; readonly stored: StoredResponse | undefined } | undefined {
  const whole = sliceBytes === 0 ? undefined : edge.keepKey();
  if (whole === undefined || edge.isMarked(whole)) return undefined;
  const number = firstWanted(edge.viewed, sliceBytes);
  const wanted = sliceOrder(edge, whole, { number, sliceBytes });
  const found = edge.lookAgain(wanted.key);
  if (found !== undefined || number === 0) return { first: wanted, stored: found };
  // The first slice tells as well where the body ends: nothing is fetched from behind that.
  const beginning = sliceOrder(edge, whole, { number: 0, sliceBytes });
  const stored = edge.lookAgain(beginning.key);
  const of = stored === undefined ? undefined : representationOf(stored, nowMs);
  if (of === undefined || of.totalBytes > number * sliceBytes) return { first: wanted, stored: undefined };
  return { first: beginning, stored };
}

/** Whether what is recorded is some of a representation. */
export function isPartOf(of: Representation, { slice, keeps }: Recording): boolean {
  if (!keeps || slice === undefined) return false;
  if (slice.kind === "slice") return isSameRepresentation(slice.of, of);
  return slice.kind === "all" && of.validator === "" && slice.span.totalBytes === of.totalBytes;
}

/** Which part of the body a recording is of. */
export function spanIn(recording: Recording | undefined): Span | undefined {
  const slice = recording?.slice;
  return slice?.kind === "slice" || slice?.kind === "all" ? slice.span : undefined;
}
