/**
 * The proportional rule of the Kubernetes Horizontal Pod Autoscaler (pkg/controller/podautoscaler,
 * replica_calculator.go): tasks = ceil(ready x current / target), with its treatment of tasks that have no data.
 *
 * A task that is not measured could be busy or idle. When the measured ones ask to shrink it counts as fully used,
 * when they ask to grow it counts as idle; if that turns the verdict round or brings it inside the tolerance,
 * nothing is done.
 */

/** What is known of one per-task signal. */
export interface Usage {
  /** The number asked for now; the answer when nothing is to be done. */
  readonly wanted: number;
  /** One value per ready task that was measured. */
  readonly values: readonly number[];
  /** Ready tasks without a value. */
  readonly missing: number;
  /** Tasks that are still starting or warming up: idle for the purpose of growing, absent for that of shrinking. */
  readonly unready: number;
  readonly target: number;
  /** What a task without a value counts as when shrinking: full use for a share, the target for a raw number. */
  readonly fullUse: number;
  readonly tolerance: number;
}

/** What the signal asks for; `ratio` is observed / target. */
export type Proportion =
  | { readonly kind: "change"; readonly count: number; readonly ratio: number }
  | {
      readonly kind: "hold";
      readonly reason: "within-tolerance" | "missing-data-could-flip";
      readonly ratio: number;
    }
  | { readonly kind: "no-data" };

/** Binary fractions make 33.000000000000004 of 33: not a reason for one more task. */
const ROUNDING = 1e-9;

/** Whole tasks that are enough for `load` at `target` each. */
export function tasksFor(load: number, target: number): number {
  return Math.ceil(load / target - ROUNDING);
}

/** Whether a ratio of observed to target is close enough to 1 to be left alone. */
export function isWithin(ratio: number, tolerance: number): boolean {
  return Math.abs(ratio - 1) <= tolerance + ROUNDING;
}

/** How many tasks a per-task signal asks for. O(tasks). */
export function proportional(usage: Usage): Proportion {
  if (usage.values.length === 0) return { kind: "no-data" };
  const sum = usage.values.reduce((total, value) => total + value, 0);
  const ratio = sum / usage.values.length / usage.target;
  if (isWithin(ratio, usage.tolerance)) return { kind: "hold", reason: "within-tolerance", ratio };
  const assumed = ratio > 1 ? grow(usage, sum) : shrink(usage, sum);
  return verdict(usage, ratio, assumed);
}

interface Assumed {
  readonly sum: number;
  readonly tasks: number;
}

function grow(usage: Usage, sum: number): Assumed {
  return { sum, tasks: usage.values.length + usage.missing + usage.unready };
}

function shrink(usage: Usage, sum: number): Assumed {
  return { sum: sum + usage.missing * usage.fullUse, tasks: usage.values.length + usage.missing };
}

function verdict(usage: Usage, measured: number, assumed: Assumed): Proportion {
  const ratio = assumed.sum / assumed.tasks / usage.target;
  const flipped = measured > 1 !== ratio > 1;
  if (flipped || isWithin(ratio, usage.tolerance)) {
    return { kind: "hold", reason: "missing-data-could-flip", ratio: measured };
  }
  const count = tasksFor(assumed.sum, usage.target);
  const against = measured > 1 ? count < usage.wanted : count > usage.wanted;
  if (against) return { kind: "hold", reason: "missing-data-could-flip", ratio: measured };
  return { kind: "change", count, ratio: measured };
}
