/** Whether a stale response may stand in for an upstream that failed (RFC 9111 §4.2.4, RFC 5861 §4). */
import type { CachePolicy } from "./policy.ts";
import { ageMs, FLAG, type StoredMeta } from "./stored-meta.ts";

/** What may be sent instead of the failure. */
export type Fallback =
  /** "grace": only because no target is well. */
  | { readonly kind: "stale"; readonly reason: "stale-if-error" | "grace" }
  | { readonly kind: "no"; readonly reason: FallbackRefusal };

/** Why a stored response cannot stand in. */
export type FallbackRefusal = "absent" | "no-cache" | "must-revalidate" | "invalidated" | "too-stale";

/** Statuses that count as a failure of the upstream (RFC 5861 §4). */
const FAILURES: readonly number[] = [500, 502, 503, 504];

/** Whether a status is a failure that a stale response may hide. */
export function isFailure(status: number): boolean {
  return FAILURES.includes(status);
}

/**
 * Decides after the upstream could not be reached, did not answer in time, or failed. What a client asked for in
 * Cache-Control does not count here: those are preferences (RFC 9111 §5.2.1), and nothing better can be had.
 */
export function afterFailure(
  stored: StoredMeta | undefined,
  policy: CachePolicy,
  nowMs: number,
  upstream: { readonly allTargetsDown: boolean },
): Fallback {
  if (stored === undefined) return { kind: "no", reason: "absent" };
  const { flags } = stored;
  if ((flags & FLAG.invalidated) !== 0) return { kind: "no", reason: "invalidated" };
  if ((flags & FLAG.noCache) !== 0) return { kind: "no", reason: "no-cache" };
  const staleMs = ageMs(stored, nowMs) - stored.lifetimeMs;
  if (staleMs < stored.staleIfErrorMs) return { kind: "stale", reason: "stale-if-error" };
  const isForbidden = (flags & (FLAG.mustRevalidate | FLAG.proxyRevalidate | FLAG.sharedMaxAge)) !== 0;
  if (isForbidden) return { kind: "no", reason: "must-revalidate" };
  const hasGrace = upstream.allTargetsDown && staleMs < policy.graceMs;
  return hasGrace ? { kind: "stale", reason: "grace" } : { kind: "no", reason: "too-stale" };
}
