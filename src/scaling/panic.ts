/**
 * Panic: demand has jumped beyond what the ready tasks can take, as Knative sees it (pkg/autoscaler/scaling).
 *
 * Requests in flight then count what waits beside what is needed. So a jump is answered generously, which also works
 * off the queue, and what it showed is forgotten once it is over: demand is measured anew.
 */
import { meanOver, type Sample, type ScaleMemory, sustained } from "./memory.ts";
import { isStarting, type Observed, readyCount } from "./observed.ts";
import { patienceOf } from "./patience.ts";
import { BURST_SAMPLES, PANIC_THRESHOLD, PANIC_WINDOW_SHARE, type ScalePolicy } from "./policy.ts";

/** Demand as the short view has it: the mean of the panic window; undefined without a sample. */
export function shortDemand(memory: ScaleMemory, policy: ScalePolicy, nowMs: number): number | undefined {
  return meanOver(memory.samples, nowMs, policy.stableWindowMs * PANIC_WINDOW_SHARE);
}

/** Whether demand is over the threshold: in the mean of the panic window, or held for a few samples. */
function isOver(observed: Observed, policy: ScalePolicy, memory: ScaleMemory, nowMs: number): boolean {
  if (policy.inFlight === undefined) return false;
  const capacity = Math.max(1, readyCount(observed)) * policy.inFlight;
  const demand = Math.max(shortDemand(memory, policy, nowMs) ?? 0, sustained(memory.samples, BURST_SAMPLES));
  return demand >= PANIC_THRESHOLD * capacity;
}

/** When demand was last over the threshold; undefined once the jump is settled and all its tasks are ready. */
export function panicSeen(
  observed: Observed,
  policy: ScalePolicy,
  memory: ScaleMemory,
  nowMs: number,
): number | undefined {
  if (isOver(observed, policy, memory, nowMs)) return nowMs;
  const seen = memory.panicSeenMs;
  if (seen === undefined || policy.inFlight === undefined) return undefined;
  const settled = nowMs - seen >= patienceOf(policy, memory).settleMs;
  return settled && !isStarting(observed) ? undefined : seen;
}

/** The samples that measure demand: those after the jump, or in it all. */
export function withoutJump(
  samples: readonly Sample[],
  panicSeenMs: number | undefined,
  nowMs: number,
): readonly Sample[] {
  if (panicSeenMs === undefined || panicSeenMs === nowMs) return samples;
  return samples.filter(({ atMs }) => atMs > panicSeenMs);
}
