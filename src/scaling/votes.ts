/** One vote per signal that has a target: how many tasks it asks for, and why. */
import type { Vote } from "./decision.ts";
import { meanOver, type ScaleMemory, sustained } from "./memory.ts";
import { type Observed, readyCount } from "./observed.ts";
import { BURST_SAMPLES, PANIC_THRESHOLD, PANIC_WINDOW_SHARE, type ScalePolicy } from "./policy.ts";
import { isWithin, proportional, tasksFor } from "./proportional.ts";

/** A share of the core or of the limit that is all of it: what an unmeasured task counts as when shrinking. */
const FULL_CPU = 1;

/**
 * Requests in flight, as Knative counts them: the mean of the stable window, or, when demand jumps, that of the
 * panic window. `memory.samples` already holds this tick's sample.
 */
export function inFlightVote(
  observed: Observed,
  policy: ScalePolicy,
  memory: ScaleMemory,
  nowMs: number,
): Vote | undefined {
  const target = policy.inFlight;
  if (target === undefined) return undefined;
  const stable = meanOver(memory.samples, nowMs, policy.stableWindowMs);
  if (observed.inFlight === undefined || stable === undefined) {
    return { kind: "missing", metric: "in-flight", reason: "no-data" };
  }
  const panicking = memory.panicSeenMs !== undefined;
  const demand = panicking ? Math.max(stable, burstDemand(memory, policy, nowMs)) : stable;
  const ratio = demand / (Math.max(1, observed.wanted) * target);
  const steady = isWithin(ratio, policy.tolerance);
  const asked = steady ? observed.wanted : tasksFor(demand, target);
  return {
    kind: "count",
    metric: "in-flight",
    count: panicking ? Math.max(asked, observed.wanted) : asked,
    current: demand / Math.max(1, readyCount(observed)),
    target,
    reason: panicking ? panicReason(memory, nowMs) : trackReason(ratio, steady),
  };
}

function panicReason(memory: ScaleMemory, nowMs: number): "panic" | "panic-cooling" {
  return memory.panicSeenMs === nowMs ? "panic" : "panic-cooling";
}

function trackReason(ratio: number, steady: boolean): "within-tolerance" | "above-target" | "below-target" {
  if (steady) return "within-tolerance";
  return ratio > 1 ? "above-target" : "below-target";
}

/** Demand as the short view has it: the mean of the panic window, or a level already held for a few samples. */
function burstDemand(memory: ScaleMemory, policy: ScalePolicy, nowMs: number): number {
  const mean = meanOver(memory.samples, nowMs, policy.stableWindowMs * PANIC_WINDOW_SHARE) ?? 0;
  return Math.max(mean, sustained(memory.samples, BURST_SAMPLES));
}

/** When demand was last over the panic threshold, or undefined once a stable window has passed without that. */
export function panicSeen(
  observed: Observed,
  policy: ScalePolicy,
  memory: ScaleMemory,
  nowMs: number,
): number | undefined {
  if (policy.inFlight === undefined) return undefined;
  const capacity = Math.max(1, readyCount(observed)) * policy.inFlight;
  if (burstDemand(memory, policy, nowMs) >= PANIC_THRESHOLD * capacity) return nowMs;
  const seen = memory.panicSeenMs;
  return seen !== undefined && nowMs - seen < policy.stableWindowMs ? seen : undefined;
}

/** CPU per task against its target, by the proportional rule; tasks that warm up are not measured. */
export function cpuVote(observed: Observed, policy: ScalePolicy): Vote | undefined {
  const target = policy.cpu;
  if (target === undefined) return undefined;
  const warm = observed.tasks.filter((task) => task.ready && task.ageMs >= policy.warmUpMs);
  const values = warm.flatMap((task) => (task.cpu === undefined ? [] : [task.cpu]));
  const result = proportional({
    wanted: observed.wanted,
    values,
    missing: warm.length - values.length,
    unready: observed.tasks.length - warm.length,
    target,
    fullUse: Math.max(FULL_CPU, target),
    tolerance: policy.tolerance,
  });
  if (result.kind === "no-data") return { kind: "missing", metric: "cpu", reason: "no-data" };
  const current = result.ratio * target;
  if (result.kind === "hold") {
    return { kind: "count", metric: "cpu", count: observed.wanted, current, target, reason: result.reason };
  }
  const reason = result.ratio > 1 ? "above-target" : "below-target";
  return { kind: "count", metric: "cpu", count: result.count, current, target, reason };
}
