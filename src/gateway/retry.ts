/**
 * Whether a request that failed before its answer may be sent again.
 */
import { GATEWAY_ERRORS, type GatewayErrorCode } from "./errors.ts";

/** What is known of the failed attempt. */
export interface FailedAttempt {
  readonly code: GatewayErrorCode;
  /** No byte of the request can have reached a target. */
  readonly unsent: boolean;
  /** The connection had rested in the pool: the target closed it as we began to use it. */
  readonly stale: boolean;
  /** A stale connection has cost this request an attempt before. */
  readonly staleBefore: boolean;
  readonly idempotent: boolean;
  /** Attempts made, this one included. */
  readonly attempts: number;
}

/** The rule's part: how many further attempts, and whether methods with effects may be repeated. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly nonIdempotent: boolean;
}

/**
 * A request is sent again when no target can have acted on it, or when acting twice does no harm (RFC 9110 §9.2.2).
 * A connection that the target closed while it rested costs no attempt, once: that race is not the target's fault.
 */
export function maySendAgain(failed: FailedAttempt, policy: RetryPolicy): boolean {
  if (!isHarmless(failed, policy)) return false;
  if (failed.stale) return !failed.staleBefore;
  const counted = failed.attempts - (failed.staleBefore ? 1 : 0);
  return counted <= policy.attempts;
}

/** Whether a request whose attempts are used up may still go to the fallback of its group, which has not seen it. */
export function isHarmless(
  failed: Pick<FailedAttempt, "code" | "unsent" | "idempotent">,
  policy: RetryPolicy,
): boolean {
  const neverConnected = failed.code.startsWith("connect-");
  const harmless = failed.unsent || neverConnected || failed.idempotent || policy.nonIdempotent;
  return harmless && GATEWAY_ERRORS[failed.code].retry !== "no";
}
