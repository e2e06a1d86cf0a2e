/** What the answer to a request for a slice is, and whether it may be stored. */
import {
  type Exchange,
  judgeSlice,
  type SliceVerdict,
  type Storability,
  storability,
} from "../../../edge/index.ts";
import type { FetchOrder } from "./fetch-order.ts";

/** Both verdicts; without a slice that was asked for the first is undefined. */
export interface Judged {
  readonly slice: SliceVerdict | undefined;
  readonly verdict: Storability | Extract<SliceVerdict, { kind: "no" }>;
}

/** Judges an answer by what was asked for. A slice may be stored where a 200 with its fields might. */
export function judge({ slice: order, cache }: FetchOrder, exchange: Exchange): Judged {
  const { response, responseWallMs } = exchange;
  if (order === undefined) return { slice: undefined, verdict: storability(exchange, cache.policy) };
  const slice = judgeSlice(order.asked, response, responseWallMs);
  if (slice.kind === "no") return { slice, verdict: slice };
  const isPart = slice.kind !== "plain";
  return { slice, verdict: storability(isPart ? asWhole(exchange) : exchange, cache.policy) };
}

/** A part of a body as a response that would have brought all of it, with these fields. */
function asWhole(exchange: Exchange): Exchange {
  const { response } = exchange;
  const { bodyBytes } = response;
  return { ...exchange, response: { status: 200, bodyBytes, field: (name) => response.field(name) } };
}

/** Whether a body that ended after `totalBytes` is as long as its Content-Range said. */
export function isLength(slice: SliceVerdict | undefined, totalBytes: number): boolean {
  if (slice?.kind !== "slice" && slice?.kind !== "all") return true;
  return totalBytes === slice.span.last - slice.span.first + 1;
}
