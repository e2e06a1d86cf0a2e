/**
 * A model of target tracking on Amazon ECS (Application Auto Scaling): two CloudWatch alarms on one-minute points.
 *
 * Out: three points of three above the target; capacity x metric / target, rounded up. Within the cooldown of 300 s only
 * a larger growth is made, and what the first one added counts towards it. In: fifteen points of fifteen below 90 % of
 * the target; rounded so as never to remove too much, at most once per cooldown, not during a deploy, and not while a
 * scale-out cools. A gap in the data is neither high nor low. Sources: the Application Auto Scaling user guide ("How
 * target tracking scaling works", "Define cooldown periods") and the alarms it creates ("< 63 for 15 datapoints within
 * 15 minutes" for a target of 70).
 *
 * In its favour: points are there the moment their minute ends (CloudWatch takes a minute or two), and scale-in is
 * proportional at once where AWS says "more gradually".
 */
import type { Observed } from "../../../scaling/index.ts";
import type { Autoscaler } from "../autoscaler.ts";
import { type Limits, withinLimits } from "./limits.ts";
import { mean } from "./window.ts";

/** A point is the mean of this many samples, 10 s apart. */
const SAMPLE_MS = 10_000;
const SAMPLES_PER_POINT = 6;
const HIGH_POINTS = 3;
const LOW_POINTS = 15;
/** The low alarm lies this far below the target, lest the two meet. */
const LOW_SHARE = 0.9;
/** `ScaleOutCooldown` and `ScaleInCooldown` of an ECS service. */
const COOLDOWN_MS = 300_000;

/** What it is told to hold: a metric per task. Undefined is a gap in the data. */
export interface TrackedMetric {
  readonly name: string;
  readonly target: number;
  readonly read: (observed: Observed, nowMs: number) => number | undefined;
}

/** A point of the metric; undefined = no data in that minute. */
export type Point = number | undefined;

/** What the cooldowns remember. */
export interface Cooldowns {
  /** The last growth, and the tasks it added in all. */
  readonly out?: { readonly atMs: number; readonly added: number };
  readonly inMs?: number;
}

/** A decision at the end of a minute. */
export interface EcsStep {
  readonly count: number;
  readonly cooldowns: Cooldowns;
}

/** What both alarms look at: the newest point last. */
export interface EcsView {
  readonly points: readonly Point[];
  readonly target: number;
  readonly current: number;
  readonly deploying: boolean;
}

/** One minute: which alarm is on, and what comes of it. */
export function ecsStep(view: EcsView, before: Cooldowns, nowMs: number): EcsStep {
  const { points, target, current, deploying } = view;
  const last = points.at(-1);
  const hold = { count: current, cooldowns: before };
  if (last === undefined) return hold;
  const proportional = Math.ceil((current * last) / target - ROUNDING);
  if (all(points, HIGH_POINTS, (point) => point > target)) {
    return scaleOut(current, proportional - current, before, nowMs);
  }
  if (deploying || !all(points, LOW_POINTS, (point) => point < target * LOW_SHARE)) return hold;
  const cools = isCooling(before.out?.atMs, nowMs) || isCooling(before.inMs, nowMs);
  if (cools || proportional >= current) return hold;
  return { count: proportional, cooldowns: { ...before, inMs: nowMs } };
}

/** Binary fractions make 33.000000000000004 of 33. */
const ROUNDING = 1e-9;

function scaleOut(current: number, wished: number, before: Cooldowns, nowMs: number): EcsStep {
  const added = isCooling(before.out?.atMs, nowMs) ? (before.out?.added ?? 0) : 0;
  if (wished <= added) return { count: current, cooldowns: before };
  return { count: current + wished - added, cooldowns: { out: { atMs: nowMs, added: wished } } };
}

function isCooling(sinceMs: number | undefined, nowMs: number): boolean {
  return sinceMs !== undefined && nowMs - sinceMs < COOLDOWN_MS;
}

function all(points: readonly Point[], count: number, holds: (point: number) => boolean): boolean {
  const last = points.slice(-count);
  return last.length === count && last.every((point) => point !== undefined && holds(point));
}

/** ECS target tracking on one metric. */
export function ecsTargetTracking(limits: Limits, metric: TrackedMetric): Autoscaler {
  let samples: readonly Point[] = [];
  let points: readonly Point[] = [];
  let cooldowns: Cooldowns = {};
  return {
    name: `ECS on ${metric.name}`,
    periodMs: SAMPLE_MS,
    step(observed, nowMs) {
      samples = [...samples, metric.read(observed, nowMs)];
      if (samples.length < SAMPLES_PER_POINT) return observed.wanted;
      points = [...points, mean(samples.filter((sample) => sample !== undefined))].slice(-LOW_POINTS);
      samples = [];
      const { wanted: current, deploying } = observed;
      const decided = ecsStep({ points, target: metric.target, current, deploying }, cooldowns, nowMs);
      cooldowns = decided.cooldowns;
      return withinLimits(decided.count, limits);
    },
  };
}

/** `ECSServiceAverageCPUUtilization`, as a share. */
export function averageCpu({ utilisation }: Limits): TrackedMetric {
  return {
    name: "CPU",
    target: utilisation,
    read: ({ tasks }) => mean(tasks.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]))),
  };
}
