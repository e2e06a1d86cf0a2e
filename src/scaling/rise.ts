/**
 * Growth in few changes: how far above their target a number of tasks may go, and how many a demand that keeps rising
 * will need.
 *
 * A change of the number is no gain in itself. So the tasks bear somewhat more than their target until it is time, and
 * then as many are added as will do for a while. What many tasks share swings less than what few do (its deviation
 * goes with the square root: the square-root staffing rule of Halfin and Whitt, 1981), so many bear more.
 */
import type { ScaleMemory } from "./memory.ts";
import { RISE_AHEAD_WINDOWS, RISE_THRESHOLD, type ScalePolicy, SETTLE_SHARE } from "./policy.ts";
import { tasksFor } from "./proportional.ts";

/** Requests in flight that `tasks` bear before more are added: the tolerance at least, a quarter over the target at most. */
export function bearable(tasks: number, target: number, { tolerance }: ScalePolicy): number {
  return tasks * target * (1 + Math.max(tolerance, (RISE_THRESHOLD - 1) * (1 - 1 / Math.sqrt(tasks))));
}

/** Tasks that hold `demand` to the target now and still bear it, should it go on to rise as it does. */
export function tasksForRise(
  demand: number,
  target: number,
  policy: ScalePolicy,
  memory: ScaleMemory,
  nowMs: number,
): number {
  const ahead = RISE_AHEAD_WINDOWS * policy.stableWindowMs;
  const later = demand + steadyRise(memory, policy, nowMs) * ahead;
  let tasks = tasksFor(demand, target);
  while (bearable(tasks, target, policy) < later) tasks++;
  return tasks;
}

/**
 * Requests in flight by which demand rises per millisecond: the smaller of the differences between the last three
 * quarters of the stable window, so that a step is none. 0 when it does not rise, or when one of them has no sample.
 */
function steadyRise({ samples }: ScaleMemory, { stableWindowMs }: ScalePolicy, nowMs: number): number {
  const spanMs = stableWindowMs * SETTLE_SHARE;
  const meanAt = (spansAgo: number): number => {
    const endMs = nowMs - spansAgo * spanMs;
    const part = samples.filter(({ atMs }) => atMs <= endMs && atMs > endMs - spanMs);
    return part.reduce((sum, { value }) => sum + value, 0) / part.length;
  };
  const [first, second, third] = [meanAt(2), meanAt(1), meanAt(0)];
  const rise = Math.min(second - first, third - second);
  return rise > 0 ? rise / spanMs : 0;
}
