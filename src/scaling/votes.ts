/** One vote per signal that has a target: how many tasks it asks for, and why. */
import type { Vote, VoteReason } from "./decision.ts";
import { growthOf, meanOver, type ScaleMemory } from "./memory.ts";
import { type Observed, readyCount } from "./observed.ts";
import { shortDemand } from "./panic.ts";
import { JUMP_GROWTH, PANIC_THRESHOLD, type ScalePolicy, SETTLE_SHARE } from "./policy.ts";
import { isWithin, proportional, tasksFor } from "./proportional.ts";
import { bearable, tasksForRise } from "./rise.ts";

/** A share of the core or of the limit that is all of it: what an unmeasured task counts as when shrinking. */
const FULL_CPU = 1;

/**
 * Requests in flight, as Knative counts them: grows when the tasks cannot bear the demand of the last quarter of the
 * stable window, when its mean has been above the target for a whole down window and, when demand jumps, to what the
 * short view shows; asks for less as soon as the panic window needs less. `memory` holds this tick's sample.
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
  const short = shortDemand(memory, policy, nowMs);
  if (observed.inFlight === undefined || stable === undefined || short === undefined) {
    return { kind: "missing", metric: "in-flight", reason: "no-data" };
  }
  const { wanted } = observed;
  const vote = (demand: number, count: number, reason: VoteReason): Vote => {
    return { kind: "count", metric: "in-flight", count, current: demand / ready, target, reason };
  };
  const ready = Math.max(1, readyCount(observed));
  if (memory.panicSeenMs === nowMs) {
    const demand = Math.max(stable, short, observed.inFlight);
    return vote(demand, tasksForJump(tasksFor(demand, target), observed, memory), "panic");
  }
  const load = Math.max(1, wanted) * target;
  const recent = meanOver(memory.samples, nowMs, policy.stableWindowMs * SETTLE_SHARE) ?? stable;
  // In the wake of a jump the number is still to be found: there the tasks bear no more than the tolerance.
  const isSettled = memory.panicSeenMs === undefined;
  const most = isSettled ? bearable(Math.max(1, wanted), target, policy) : load * (1 + policy.tolerance);
  if (recent > most) return vote(recent, tasksForRise(recent, target, policy, memory, nowMs), "rising");
  if (memory.aboveSinceMs !== undefined) {
    const isLong = nowMs - memory.aboveSinceMs >= policy.downWindowMs;
    return isLong ? vote(stable, tasksFor(stable, target), "above-target") : vote(stable, wanted, "bearable");
  }
  const lower = short < load && !isWithin(short / load, policy.tolerance);
  const needed = lower ? Math.min(wanted, tasksFor(short, target)) : wanted;
  // Where one task less would be one too few, a load below the target is no reason to shrink.
  return needed < wanted ? vote(short, needed, "below-target") : vote(stable, wanted, "within-tolerance");
}

/** A task has been ready for this long: two samples, so that the newest growth is one that it had a part in. */
const AT_WORK_MS = 2000;

/**
 * What is ordered already comes in the same seconds: only demand for twice as many asks for more. And what waits goes on
 * growing until they are at work: they are too few if it grows twice as fast until then, or half as fast after.
 */
function tasksForJump(asked: number, observed: Observed, { samples, jumpGrowth }: ScaleMemory): number {
  const growth = growthOf(samples);
  const areAtWork = observed.tasks.every(({ ready, ageMs }) => ready && ageMs >= AT_WORK_MS);
  const share = areAtWork ? 1 / JUMP_GROWTH : JUMP_GROWTH;
  const areTooFew = jumpGrowth === undefined || growth >= share * jumpGrowth;
  return areTooFew && asked >= PANIC_THRESHOLD * observed.wanted ? asked : observed.wanted;
}

/**
 * Waiting work per task against its target. It is a stock, not a flow: it stands for all the work that is left, so it is taken as it is,
 * without averages, and what goes up and down within a down window is for the clamps.
 */
export function backlogVote(observed: Observed, policy: ScalePolicy): Vote | undefined {
  const target = policy.backlog?.perTask;
  if (target === undefined) return undefined;
  const { backlog, wanted } = observed;
  if (backlog === undefined) return { kind: "missing", metric: "backlog", reason: "no-data" };
  const current = backlog / Math.max(1, readyCount(observed));
  const vote = (count: number, reason: VoteReason): Vote => {
    return { kind: "count", metric: "backlog", count, current, target, reason };
  };
  const ratio = backlog / (Math.max(1, wanted) * target);
  if (isWithin(ratio, policy.tolerance)) return vote(wanted, "within-tolerance");
  return vote(tasksFor(backlog, target), ratio > 1 ? "above-target" : "below-target");
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
