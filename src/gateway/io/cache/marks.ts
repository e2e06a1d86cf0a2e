/** How long requests for what turned out not to be kept do not wait for each other (Varnish's hit-for-miss). */
import type { NotKept } from "../../../edge/index.ts";

const MARK_S = 120;

/**
 * After a failure, which says nothing of the next response: long enough that those who waited for it do not wait for each
 * other one by one, short enough that the first good response is fetched once.
 */
const FAILURE_MARK_S = 2;

/** A shield gave out what is stale, since it could get nothing better: it may any moment. */
const STALE_MARK_S = 1;

/** Too Many Requests: it is the target's state, not the resource. */
const TOO_MANY_REQUESTS = 429;

/** They say something of one request for a slice, and nothing of the next. */
const UNMARKED: readonly NotKept[] = ["slice-changed", "slice-unsatisfiable", "slice-failed"];

/** Seconds for a response with this status that was not kept; 0 = no mark. */
export function markSeconds(reason: NotKept, status: number): number {
  if (UNMARKED.includes(reason)) return 0;
  if (reason === "already-stale") return STALE_MARK_S;
  return status >= 500 || status === TOO_MANY_REQUESTS ? FAILURE_MARK_S : MARK_S;
}
