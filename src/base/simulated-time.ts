/**
 * Simulated time: a clock and a scheduler over one number that moves only by `advance`.
 *
 * Runs that are due are called in order of their time, and in order of scheduling when two share a time, each seeing
 * the clock at exactly its own due time. So hours pass in microseconds, and a simulation is a pure function of its
 * seed.
 */
import type { Clock } from "./clock.ts";
import type { Scheduler } from "./scheduler.ts";

/** A clock and a scheduler that move together, by hand. */
export interface SimulatedTime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Moves time forward by `ms`, calling everything that becomes due, also what those calls schedule. Synchronous. */
  readonly advance: (ms: number) => void;
}

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Wall time of simulated zero, 2026-01-01: any fixed date makes logs of a simulation comparable. */
const WALL_START_MS = Date.UTC(2026, 0, 1);

/** Runs within one instant: far beyond any honest burst, so a run that reschedules itself with delay 0 is found. */
const RUNS_PER_INSTANT_MAX = 1_000_000;

/** Makes a simulated clock and scheduler that start at `startMs`. Scheduling is O(log n) plus one array insertion. */
export function simulatedTime(startMs = 0): SimulatedTime {
  let nowMs = startMs;
  let order = 0;
  // Latest first, so that the next one is popped off the end.
  const pending: Pending[] = [];

  const after: Scheduler["after"] = (delayMs, run) => {
    const entry: Pending = { dueMs: nowMs + Math.max(0, delayMs), order: order++, run };
    pending.splice(indexOf(pending, entry), 0, entry);
    return () => {
      const at = indexOf(pending, entry);
      if (pending[at] === entry) pending.splice(at, 1);
    };
  };

  const advance = (ms: number): void => {
    const untilMs = nowMs + Math.max(0, ms);
    let runsNow = 0;
    for (let next = pending.at(-1); next !== undefined && next.dueMs <= untilMs; next = pending.at(-1)) {
      pending.pop();
      runsNow = next.dueMs > nowMs ? 1 : runsNow + 1;
      if (runsNow > RUNS_PER_INSTANT_MAX) throw new Error(stuckMessage(nowMs));
      nowMs = next.dueMs;
      next.run();
    }
    nowMs = untilMs;
  };

  const clock: Clock = { nowMs: () => nowMs, wallMs: () => WALL_START_MS + nowMs };
  return { clock, scheduler: { after }, advance };
}

/** Where `entry` stands, or would stand, in an array sorted latest first. */
function indexOf(pending: readonly Pending[], entry: Pending): number {
  let low = 0;
  let high = pending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = pending[middle];
    if (other !== undefined && isLater(other, entry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isLater(a: Pending, b: Pending): boolean {
  return a.dueMs === b.dueMs ? a.order > b.order : a.dueMs > b.dueMs;
}

function stuckMessage(nowMs: number): string {
  return (
    `simulated time is stuck at ${nowMs} ms after ${RUNS_PER_INSTANT_MAX} runs: ` +
    "something reschedules itself with delay 0"
  );
}
