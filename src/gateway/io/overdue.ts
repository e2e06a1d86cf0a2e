/** How long an exchange may wait, and what it means that a wait is over: whose turn it was. */
import type { GatewayErrorCode } from "../errors.ts";
import type { Wait } from "./client.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";
import type { Upstream } from "./upstream.ts";

/** The error for a wait whose bound has passed. */
export function timeoutCode(
  wait: Wait,
  { plan, startedMs, down, body }: Request,
  upstream: Upstream | undefined,
  nowMs: number,
): GatewayErrorCode {
  const totalMs = plan?.timeouts.totalMs ?? 0;
  if (totalMs > 0 && nowMs - startedMs >= totalMs) return "total-timeout";
  if (wait === "queue") return "queue-timeout";
  if (wait === "connect") return "connect-timeout";
  if (wait === "first-byte") return "first-byte-timeout";
  if (wait === "send" || down?.outbox !== undefined) return "client-stalled";
  const isTargetsTurn = body.done || upstream?.outbox !== undefined;
  return isTargetsTurn ? "upstream-stalled" : "body-timeout";
}

/** `ms`, or what is left of the total timeout if that is less. */
export function withinTotal(ms: number, { plan, startedMs }: Request, serving: Serving): number {
  const totalMs = plan?.timeouts.totalMs ?? 0;
  if (totalMs === 0) return ms;
  return Math.max(0, Math.min(ms, totalMs - (serving.nowMs() - startedMs)));
}
