/**
 * What may hold back the number that the votes ask for, as rows of a table in the order in which they apply.
 * Growth is only ever bounded by rates and `max`; every other row stands in the way of shrinking alone.
 */
import type { Clamp, ClampKind, Vote } from "./decision.ts";
import { highestWithin, type ScaleMemory } from "./memory.ts";
import { type Observed, readyCount } from "./observed.ts";
import { patienceOf } from "./patience.ts";
import {
  DOWN_RATE_MAX,
  DOWN_SHARE,
  FLAP_TURNS_MAX,
  PANIC_WINDOW_SHARE,
  type ScalePolicy,
  UP_RATE_MAX,
} from "./policy.ts";

/** What a clamp may look at. `memory` already holds this tick's recommendation. */
export interface ClampContext {
  readonly observed: Observed;
  readonly policy: ScalePolicy;
  readonly memory: ScaleMemory;
  readonly votes: readonly Vote[];
  readonly nowMs: number;
}

type Rule = (count: number, context: ClampContext) => number;

/** Lets growth pass and shrinking only as far as `floor`. */
function notBelow(count: number, floor: number, wanted: number): number {
  return count < wanted ? Math.max(count, Math.min(floor, wanted)) : count;
}

/** Stops shrinking altogether while `held` is true. */
function holdShrinking(held: (context: ClampContext) => boolean): Rule {
  return (count, context) =>
    held(context) ? notBelow(count, context.observed.wanted, context.observed.wanted) : count;
}

/**
 * The count that the recent past allows to go down to. The highest number of the hold decides whether; how far, what
 * was needed last, for a load that falls all the while needs less than it did at first. While the highest is about to
 * leave the hold, the fall is still passing through: one change at its end instead of many along it. A shrink by less
 * than `DOWN_SHARE` needs a longer hold.
 */
function downFloor({ observed, policy, memory, nowMs }: ClampContext): number {
  const { wanted } = observed;
  const { holdMs, settleMs } = patienceOf(policy, memory);
  const passingMs = Math.min(settleMs, policy.stableWindowMs * PANIC_WINDOW_SHARE);
  const within = (windowMs: number): number =>
    highestWithin(memory.recommendations, nowMs, windowMs) ?? wanted;
  const highest = within(holdMs);
  const passing = within(holdMs - passingMs) * (1 + policy.tolerance) < highest;
  if (highest >= wanted || passing) return wanted;
  const floor = Math.max(within(settleMs), memory.begun?.count ?? 0);
  const smaller = DOWN_SHARE / (1 - floor / wanted);
  const waitMs = Math.min(policy.downWindowMs, holdMs * Math.max(1, smaller));
  return floor < wanted && within(waitMs) >= wanted ? wanted : floor;
}

const CLAMPS: Readonly<Record<ClampKind, Rule>> = {
  "metric-missing": holdShrinking(({ votes }) => votes.some((vote) => vote.kind === "missing")),
  "panic-cooling": holdShrinking(({ memory }) => memory.panicSeenMs !== undefined),
  "down-window": (count, context) => notBelow(count, downFloor(context), context.observed.wanted),
  "set-by-hand": (count, { observed, memory }) => notBelow(count, memory.byHand?.count ?? 0, observed.wanted),
  "deploy-in-progress": holdShrinking(({ observed }) => observed.deploying),
  "flap-budget-spent": holdShrinking(({ memory }) => memory.turns.length >= FLAP_TURNS_MAX),
  "up-rate": (count, { observed }) => Math.min(count, Math.max(1, readyCount(observed)) * UP_RATE_MAX),
  "down-rate": (count, { observed }) =>
    notBelow(count, Math.floor(readyCount(observed) / DOWN_RATE_MAX), observed.wanted),
  min: (count, { policy }) => Math.max(count, policy.min),
  max: (count, { policy }) => Math.min(count, policy.max),
};

/** Applies every clamp in turn; lists those that changed the number. */
export function applyClamps(
  asked: number,
  context: ClampContext,
): { readonly count: number; readonly clamps: readonly Clamp[] } {
  const clamps: Clamp[] = [];
  let count = asked;
  for (const [kind, rule] of Object.entries(CLAMPS) as [ClampKind, Rule][]) {
    const to = rule(count, context);
    if (to !== count) clamps.push({ kind, from: count, to });
    count = to;
  }
  return { count, clamps };
}
