/**
 * Every answer that the gateway gives by itself because something went wrong: one row each.
 *
 * The code goes unchanged into the response, the access log, the metric `reason` label and `tenfold top`.
 * Requests that break HTTP's grammar are refused with the codes of http/http1; these are the rest.
 */
import { defineErrors, type ErrorRow } from "../base/index.ts";

export const GATEWAY_ERRORS: Readonly<Record<GatewayErrorCode, ErrorRow>> = defineErrors({
  "bad-request": {
    status: 400,
    fault: "downstream",
    retry: "no",
    message: "The request is not valid HTTP/1.1.",
    mend: "See the code of the HTTP error beside this one.",
  },
  "no-rule": {
    status: 404,
    fault: "downstream",
    retry: "no",
    message: "No rule of this listener matches the request.",
    mend: "Add a rule for this host and path, or a last rule without `match`.",
  },
  "body-too-large": {
    status: 413,
    fault: "downstream",
    retry: "no",
    message: "The request body is larger than this rule allows.",
    mend: "Send less, or raise `bodyMax` of the rule or of `gateway.limits`.",
  },
  "head-timeout": {
    status: 408,
    fault: "downstream",
    retry: "no",
    message: "The request head did not arrive in time.",
    mend: "Send the whole head at once, or raise `gateway.timeouts.head`.",
  },
  "body-timeout": {
    status: 408,
    fault: "downstream",
    retry: "no",
    message: "The request body stopped arriving.",
    mend: "Keep sending, or raise `gateway.timeouts.idle`.",
  },
  "client-closed": {
    status: 499,
    fault: "downstream",
    retry: "no",
    message: "The client closed the connection before the response was complete.",
    mend: "Nothing to mend in the gateway; look at the client's timeout.",
  },
  "client-stalled": {
    status: 499,
    fault: "downstream",
    retry: "no",
    message: "The client stopped reading the response.",
    mend: "Nothing to mend in the gateway; `gateway.timeouts.idle` says how long it waits.",
  },
  "no-target": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "The target group has no target.",
    mend: "Start a task of the service, or add targets to the group.",
  },
  "queue-full": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "Too many requests already wait for a connection to this target group.",
    mend: "Add targets, or raise `connections.perTargetMax` or `limits.queueMax`.",
  },
  "queue-timeout": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "No connection to a target became free in time.",
    mend: "Add targets, or raise `connections.perTargetMax`.",
  },
  "connect-refused": {
    status: 502,
    fault: "upstream",
    retry: "yes",
    message: "The target refused the connection.",
    mend: "Check that the app is running and listens on the target's address and port.",
  },
  "connect-failed": {
    status: 502,
    fault: "upstream",
    retry: "yes",
    message: "The target could not be reached.",
    mend: "Check the target's host name or address, and that there is a route to it.",
  },
  "connect-timeout": {
    status: 504,
    fault: "upstream",
    retry: "yes",
    message: "The target did not accept the connection in time.",
    mend: "Check the target's address and its network, or raise `timeouts.connect`.",
  },
  "upstream-closed": {
    status: 502,
    fault: "upstream",
    retry: "unsent",
    message: "The target closed the connection before it answered.",
    mend: "Look at the target's log: it crashed, or its keep-alive timeout is shorter than `timeouts.upstreamKeepAlive`.",
  },
  "upstream-cut": {
    status: 502,
    fault: "upstream",
    retry: "no",
    message: "The target closed the connection in the middle of its response.",
    mend: "Look at the target's log: it crashed, or it announced a larger Content-Length than it sent.",
  },
  "upstream-invalid": {
    status: 502,
    fault: "upstream",
    retry: "no",
    message: "The target's answer is not valid HTTP/1.1.",
    mend: "The log names what is wrong with it; check that the target's port speaks HTTP.",
  },
  "first-byte-timeout": {
    status: 504,
    fault: "upstream",
    retry: "unsent",
    message: "The target did not begin to answer in time.",
    mend: "Make the target faster, or raise `timeouts.firstByte` for this rule.",
  },
  "upstream-stalled": {
    status: 504,
    fault: "upstream",
    retry: "no",
    message: "The target stopped sending in the middle of its response.",
    mend: "Look at the target, or raise `timeouts.idle` for this rule.",
  },
  "total-timeout": {
    status: 504,
    fault: "upstream",
    retry: "no",
    message: "The exchange took longer than the rule allows.",
    mend: "Make the target faster, or raise `timeouts.total` for this rule.",
  },
  stopping: {
    status: 503,
    fault: "internal",
    retry: "yes",
    message: "The gateway is stopping and its grace period is over.",
    mend: "Send the request again.",
  },
  internal: {
    status: 500,
    fault: "internal",
    retry: "no",
    message: "The gateway failed while it handled the request.",
    mend: "This is a bug in the gateway; its log has the stack.",
  },
  "connect-exhausted": {
    status: 503,
    fault: "internal",
    retry: "yes",
    message: "The gateway has no descriptor or local port left for a connection to a target.",
    mend: "Raise the limit of open files (`ulimit -n`), or lower `limits.connectionsMax`.",
  },
  "purge-forbidden": {
    status: 403,
    fault: "downstream",
    retry: "no",
    message: "The token for PURGE is missing or wrong.",
    mend: "Send `Authorization: Bearer` with the token in the file `gateway.cache.purgeTokenFile`.",
  },
  "cache-cut": {
    status: 502,
    fault: "internal",
    retry: "yes",
    message: "A response that was being sent from the disk could not be read to its end.",
    mend: "Look at the disk of `gateway.cache.disk`; the next request for it goes to a target.",
  },
  "fallback-full": {
    status: 503,
    fault: "upstream",
    retry: "yes",
    message: "No target of the group answers, and its fallback has as many requests as it is allowed.",
    mend: "Bring a target of the group back, or raise `fallback.requestsMax`.",
  },
  "loop-detected": {
    status: 508,
    fault: "downstream",
    retry: "no",
    message: "The request has come by this gateway before (CDN-Loop).",
    mend: "Look for a target that leads back here: a group of this gateway, or of one that it forwards to.",
  },
} as const);

/** The literal of each row. */
export type GatewayErrorCode =
  | "bad-request"
  | "no-rule"
  | "body-too-large"
  | "head-timeout"
  | "body-timeout"
  | "client-closed"
  | "client-stalled"
  | "no-target"
  | "queue-full"
  | "queue-timeout"
  | "connect-refused"
  | "connect-failed"
  | "connect-timeout"
  | "upstream-closed"
  | "upstream-cut"
  | "upstream-invalid"
  | "first-byte-timeout"
  | "upstream-stalled"
  | "total-timeout"
  | "stopping"
  | "internal"
  | "connect-exhausted"
  | "purge-forbidden"
  | "cache-cut"
  | "fallback-full"
  | "loop-detected";

/** Position of each code in the scoreboard's rows of reasons. Append only: readers of an older file rely on it. */
export const REASONS: readonly GatewayErrorCode[] = Object.keys(GATEWAY_ERRORS) as GatewayErrorCode[];

const NUMBERS = new Map<GatewayErrorCode, number>(REASONS.map((code, index) => [code, index]));

/** Number of a code in the scoreboard. */
export function reasonNumber(code: GatewayErrorCode): number {
  return NUMBERS.get(code) ?? 0;
}
