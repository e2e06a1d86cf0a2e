/** Waiting before another try: longer each time, and never the same for all, so that those who collided do not collide again. */
import type { Random, Scheduler } from "../base/index.ts";

const FIRST_MS = 20;
const DOUBLINGS_MAX = 16;

/** The wait before try `attempt + 2`: between half of and all of 20 ms, 40 ms, 80 ms …, at most `maxMs`. */
export function retryDelayMs(attempt: number, random: Random, maxMs: number): number {
  const full = Math.min(maxMs, FIRST_MS * 2 ** Math.min(attempt, DOUBLINGS_MAX));
  return full * (0.5 + random() / 2);
}

/** Resolves after `ms`. */
export function pause(scheduler: Scheduler, ms: number): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after(ms, resolve);
  });
}
