/** The head of a response that is recorded, as the store and those who follow get it. */
import { type Conditions, layOutRawHead, type SliceVerdict, type StoredHead } from "../../../edge/index.ts";
import type { ResponseHead } from "../../../http/index.ts";
import { tagsFor } from "./cache-key.ts";
import { COMPRESSED_BYTES_MIN, isCompressible } from "./coder.ts";
import type { FetchOrder } from "./fetch-order.ts";
import type { HeadedResponse } from "./messages.ts";
import type { Judged } from "./slice-judge.ts";

const NOTHING_WITHHELD: readonly string[] = [];

/** A response whose head has come and was judged. */
export interface JudgedHead extends Judged {
  readonly head: ResponseHead;
  readonly bytes: Uint8Array;
  readonly response: HeadedResponse;
}

/** What is not in the response itself. */
interface Laying {
  readonly isCompressible: boolean;
  readonly date: () => string;
  /** Lent bytes to lay it out in; undefined: bytes of its own. */
  readonly into: Uint8Array | undefined;
}

/** Lays out the head, and its tags. Undefined when it is too long to be stored. */
export function recordedHead(
  { cache: { policy }, key }: FetchOrder,
  { head, bytes, response, slice, verdict }: JudgedHead,
  laying: Laying,
): StoredHead | undefined {
  const isKept = verdict.kind === "store";
  const withheld = isKept ? verdict.withheld : NOTHING_WITHHELD;
  const isAll = slice?.kind === "all";
  const laid = layOutRawHead(head, bytes, {
    ...laying,
    policy: isKept ? policy : { ...policy, browserCacheControl: undefined },
    withheld: isAll ? [...withheld, "content-range"] : withheld,
    isWhole: isAll,
    keepsAge: !isKept,
  });
  if (laid !== undefined) laid.tags = tagsFor(key, response);
  return laid;
}

/** Whether compressed forms of the response are worth keeping. */
export function isWorthCoding({ cache }: FetchOrder, { slice, verdict, response }: JudgedHead): boolean {
  if (!cache.compress || verdict.kind !== "store" || slice?.kind === "slice") return false;
  // A body of unknown length is looked at when it is stored: too short a one is made smaller by nothing.
  const bodyBytes = response.bodyBytes ?? COMPRESSED_BYTES_MIN;
  return isCompressible((name) => response.field(name), response.status, bodyBytes);
}

/** Whether the slice that came is of what the conditions asked about. */
export function isOfAsked(
  slice: SliceVerdict | undefined,
  { ifNoneMatch, ifModifiedSince }: Conditions,
): boolean {
  const validator = slice?.kind === "slice" ? slice.of.validator : "";
  return validator !== "" && (validator === ifNoneMatch || validator === ifModifiedSince);
}
