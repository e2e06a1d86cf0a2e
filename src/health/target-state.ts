/**
 * What active checks make of a target: a pure state machine over their results.
 *
 *   new -- pass --> healthy -- `fall` failures in a row --> unhealthy -- `rise` passes in a row --> healthy
 *   new -- fail --> unhealthy, never healthy before -- one pass --> healthy
 *
 * The first check decides, and for a target that was never healthy one pass suffices: a task that just started should
 * serve at once. Only who has failed before has to prove that it lasts. (Envoy and ALB do the same.)
 */

/** Why a check failed. These words reach log, metric and console unchanged. */
export type FailureReason =
  /** No answer, or no connection, within the check's timeout. */
  | "timeout"
  | "connect-refused"
  /** No connection for another reason: no route, no such host, no local port left. */
  | "connect-failed"
  | "reset"
  /** The connection was closed before the answer was complete. */
  | "closed"
  /** The answer is no HTTP response. */
  | "malformed"
  /** The status is not among those that pass. */
  | "status"
  /** The check itself broke: our fault, not the target's. */
  | "probe-error";

/** A failed check: the reason, the status when that was it, and words about it where there are any. */
export interface Failure {
  readonly reason: FailureReason;
  readonly status?: number;
  readonly detail?: string;
}

/** What one check found. */
export type CheckResult = { readonly kind: "pass" } | ({ readonly kind: "fail" } & Failure);

/** What is known of a target. */
export type TargetState =
  /** No check has ended yet. */
  | { readonly kind: "new" }
  /** `failures` in a row since the last pass, the last of them kept. */
  | { readonly kind: "healthy"; readonly failures: number; readonly failure?: Failure }
  /** `passes` in a row since the last failure, and all `failures` since it became unhealthy. */
  | {
      readonly kind: "unhealthy";
      readonly passes: number;
      readonly failures: number;
      readonly failure: Failure;
      readonly everHealthy: boolean;
    };

/** Where every target starts. */
export const NEW: TargetState = { kind: "new" };

/** How results become states, and when the next check is. A part of the config's `HealthConfig`. */
export interface CheckPolicy {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Each wait is interval x (1 ± jitter). */
  readonly jitter: number;
}

/** Wait between the checks of a target that was never healthy: what a starting task's readiness is late by, at most. */
const STARTING_INTERVAL_MS = 250;

/** Checks at that pace: 30 s, the time that a task gets to start. Whoever fails longer is down, not starting. */
const STARTING_CHECKS_MAX = 120;

/** The state after one more check. */
export function step(state: TargetState, result: CheckResult, policy: CheckPolicy): TargetState {
  switch (state.kind) {
    case "new":
      return result.kind === "pass" ? HEALTHY : unhealthy(failureOf(result), false);
    case "healthy":
      return result.kind === "pass" ? HEALTHY : failed(state.failures + 1, failureOf(result), policy);
    case "unhealthy":
      return result.kind === "pass"
        ? passed(state, policy)
        : { ...state, passes: 0, failures: state.failures + 1, failure: failureOf(result) };
  }
}

/**
 * How long to wait after a check that led to this state. `random` is uniform in [0, 1). Rising and falling keep the
 * configured pace, so that `fall` x interval is the hiccup that is forgiven; only a starting target is asked sooner.
 */
export function waitMs(state: TargetState, policy: CheckPolicy, random: number): number {
  const interval = isStarting(state) ? Math.min(policy.intervalMs, STARTING_INTERVAL_MS) : policy.intervalMs;
  return interval * (1 + policy.jitter * (2 * random - 1));
}

const HEALTHY: TargetState = { kind: "healthy", failures: 0 };

function failed(failures: number, failure: Failure, { fall }: CheckPolicy): TargetState {
  return failures >= fall ? unhealthy(failure, true, failures) : { kind: "healthy", failures, failure };
}

function unhealthy(failure: Failure, everHealthy: boolean, failures = 1): TargetState {
  return { kind: "unhealthy", passes: 0, failures, failure, everHealthy };
}

function passed(state: TargetState & { kind: "unhealthy" }, { rise }: CheckPolicy): TargetState {
  const passes = state.passes + 1;
  return passes >= (state.everHealthy ? rise : 1) ? HEALTHY : { ...state, passes };
}

function failureOf({ kind: _kind, ...failure }: CheckResult & { kind: "fail" }): Failure {
  return failure;
}

function isStarting(state: TargetState): boolean {
  return state.kind === "unhealthy" && !state.everHealthy && state.failures <= STARTING_CHECKS_MAX;
}
