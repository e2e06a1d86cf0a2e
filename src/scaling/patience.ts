/**
 * How long the rule waits before it shrinks: as short as it has proved safe.
 *
 * A service that scales on requests in flight is back within seconds when demand returns, so one stable window of
 * lower demand is reason enough to shrink. Where that was wrong, because demand jumped within a down window of a
 * shrink, the wait doubles, up to the whole down window, until the memory of it fades. CPU says nothing of demand
 * beyond what the tasks can do, so growth on it alone is slow, and shrinking waits for the whole down window.
 */
import type { ScaleMemory } from "./memory.ts";
import { REGRET_DOWN_WINDOWS, REGRETS_MAX, type ScalePolicy, SETTLE_SHARE } from "./policy.ts";

/** Spans of one decision, ms. */
export interface Patience {
  /** Nothing shrinks below the highest number asked for within it. */
  readonly holdMs: number;
  /** What was asked for within it is what shrinking goes down to; a jump is over when it has passed without another. */
  readonly settleMs: number;
}

/** The patience that the remembered regrets teach. */
export function patienceOf(policy: ScalePolicy, memory: ScaleMemory): Patience {
  const { downWindowMs, stableWindowMs } = policy;
  const factor = 2 ** memory.regrets.length;
  const holdMs =
    policy.inFlight === undefined ? downWindowMs : Math.min(downWindowMs, stableWindowMs * factor);
  const shortestMs = stableWindowMs * SETTLE_SHARE;
  return { holdMs, settleMs: Math.min(shortestMs * factor, Math.max(shortestMs, holdMs)) };
}

/** The regrets after this tick: `began` says that a panic began in it, with nothing ordered yet that would answer it. */
export function regret(
  memory: ScaleMemory,
  policy: ScalePolicy,
  began: boolean,
  nowMs: number,
): readonly number[] {
  const { shrunkMs } = memory;
  const kept = memory.regrets.filter((atMs) => atMs > nowMs - REGRET_DOWN_WINDOWS * policy.downWindowMs);
  const wrong = began && shrunkMs !== undefined && shrunkMs > nowMs - policy.downWindowMs;
  return wrong ? [...kept, nowMs].slice(-REGRETS_MAX) : kept;
}
