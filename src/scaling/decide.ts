/**
 * The autoscaling rule: one pure function of what is observed, the policy, what is remembered and the time.
 *
 *   samples -> one vote per signal -> the highest -> clamps -> result, with the reason
 *
 * It grows if any signal wants to and shrinks only if all agree. The controller runs it once a second; a simulator
 * runs the same function.
 */
import { applyClamps } from "./clamps.ts";
import type { Clamp, Decision, DecisionReason, Vote } from "./decision.ts";
import { growthOf, meanOver, type Recommendation, recommend, remember, type ScaleMemory } from "./memory.ts";
import { isStarting, type Observed, readyCount } from "./observed.ts";
import { panicSeen, withoutJump } from "./panic.ts";
import { regret } from "./patience.ts";
import { FLAP_WINDOW_MS, type ScalePolicy } from "./policy.ts";
import { isWithin } from "./proportional.ts";
import { backlogVote, cpuVote, inFlightVote } from "./votes.ts";

/** What one call decides, and what it hands to the next. */
export interface Outcome {
  readonly decision: Decision;
  /** To be handed to the next call. */
  readonly memory: ScaleMemory;
}

/**
 * How many tasks the service should run. `nowMs` is monotonic and grows from call to call; about one call a second
 * is expected. O(tasks + samples in the stable window).
 */
export function decide(observed: Observed, policy: ScalePolicy, memory: ScaleMemory, nowMs: number): Outcome {
  const sampled = withSample(observed, policy, memory, nowMs);
  const votes = [
    inFlightVote(observed, policy, sampled, nowMs),
    cpuVote(observed, policy),
    backlogVote(observed, policy),
  ].filter((vote) => vote !== undefined);
  const asked = highest(votes, observed.wanted);
  const recommended = withRecommendation(sampled, policy, asked, nowMs);
  const { count, clamps } = applyClamps(asked, { observed, policy, memory: recommended, votes, nowMs });
  const decision: Decision = {
    atMs: nowMs,
    inputs: inputsOf(observed),
    votes,
    asked,
    clamps,
    result: count,
    direction: directionOf(observed.wanted, count),
    reason: reasonOf(votes, asked, clamps),
  };
  return { decision, memory: withJump(withTurn(recommended, decision, nowMs), decision, nowMs) };
}

function withSample(
  observed: Observed,
  policy: ScalePolicy,
  memory: ScaleMemory,
  nowMs: number,
): ScaleMemory {
  const { panicSeenMs: before, jumpGrowth, aboveSinceMs, byHand, begun, ...rest } = memory;
  const samples = remember(memory.samples, observed.inFlight, nowMs, policy.stableWindowMs);
  const seen = panicSeen(observed, policy, { ...memory, samples }, nowMs);
  const began = before === undefined && seen !== undefined && !isStarting(observed);
  const kept = withoutJump(samples, seen ?? before, nowMs);
  const holds = (set: Recommendation | undefined): set is Recommendation =>
    set !== undefined && set.atMs > nowMs - policy.downWindowMs;
  return {
    ...rest,
    samples: kept,
    regrets: regret(memory, policy, began, nowMs),
    ...(seen === undefined ? {} : { panicSeenMs: seen }),
    ...(seen === undefined || jumpGrowth === undefined ? {} : { jumpGrowth }),
    ...(isAbove(observed, policy, kept, nowMs) ? { aboveSinceMs: aboveSinceMs ?? nowMs } : {}),
    ...(holds(begun) ? { begun } : {}),
    ...(holds(byHand) ? { byHand } : {}),
  };
}

/** Whether the mean of the stable window is above the target by more than the tolerance. */
function isAbove(
  { wanted }: Observed,
  { inFlight: target, stableWindowMs, tolerance }: ScalePolicy,
  samples: ScaleMemory["samples"],
  nowMs: number,
): boolean {
  const stable = meanOver(samples, nowMs, stableWindowMs);
  if (target === undefined || stable === undefined) return false;
  const ratio = stable / (Math.max(1, wanted) * target);
  return ratio > 1 && !isWithin(ratio, tolerance);
}

/** What is asked for in a jump is not remembered against shrinking: it answers what waits, not what is needed. */
function withRecommendation(
  memory: ScaleMemory,
  policy: ScalePolicy,
  asked: number,
  nowMs: number,
): ScaleMemory {
  if (memory.panicSeenMs === nowMs) return memory;
  const recommendations = recommend(memory.recommendations, asked, nowMs, policy.downWindowMs);
  return { ...memory, recommendations };
}

function highest(votes: readonly Vote[], wanted: number): number {
  const counts = votes.flatMap((vote) => (vote.kind === "count" ? [vote.count] : []));
  return counts.length === 0 ? wanted : Math.max(...counts);
}

function inputsOf(observed: Observed): Decision["inputs"] {
  const cpus = observed.tasks.flatMap((task) => (task.cpu === undefined ? [] : [task.cpu]));
  return {
    wanted: observed.wanted,
    ready: readyCount(observed),
    deploying: observed.deploying,
    ...(observed.inFlight === undefined ? {} : { inFlight: observed.inFlight }),
    ...(observed.backlog === undefined ? {} : { backlog: observed.backlog }),
    ...(cpus.length === 0 ? {} : { cpu: cpus.reduce((sum, cpu) => sum + cpu, 0) / cpus.length }),
  };
}

function directionOf(wanted: number, count: number): Decision["direction"] {
  if (count === wanted) return "hold";
  return count > wanted ? "up" : "down";
}

/** The last clamp that changed the number, else the vote that asked for it. */
function reasonOf(votes: readonly Vote[], asked: number, clamps: readonly Clamp[]): DecisionReason {
  const last = clamps.at(-1);
  if (last !== undefined) return last.kind;
  if (votes.length === 0) return "no-target-set";
  const deciding = votes.find((vote) => vote.kind === "count" && vote.count === asked);
  return deciding?.reason ?? "no-data";
}

/** Remembers a shrink, and a change of direction; the first move of all is not one. */
function withTurn(memory: ScaleMemory, decision: Decision, nowMs: number): ScaleMemory {
  const turns = memory.turns.filter((atMs) => atMs > nowMs - FLAP_WINDOW_MS);
  if (decision.direction === "hold") return { ...memory, turns };
  const turned = memory.lastDirection !== "none" && memory.lastDirection !== decision.direction;
  return {
    ...memory,
    turns: turned ? [...turns, nowMs] : turns,
    lastDirection: decision.direction,
    ...(decision.direction === "down" ? { shrunkMs: nowMs } : {}),
  };
}

/** Remembers how fast requests in flight grew when a panic ordered tasks. */
function withJump(memory: ScaleMemory, { direction }: Decision, nowMs: number): ScaleMemory {
  const orders = direction === "up" && memory.panicSeenMs === nowMs;
  return orders ? { ...memory, jumpGrowth: Math.max(1, growthOf(memory.samples)) } : memory;
}
