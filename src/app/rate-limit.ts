/** A token bucket: so much a second in the long run, with room for a burst. */
import type { Clock } from "../base/index.ts";

/** How much is let in. */
export interface RateOptions {
  readonly perSecond: number;
  /** What may come at once after a pause; nothing that costs more is ever let in. */
  readonly burst: number;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Takes `cost` from the bucket: 0 when it was there, else the milliseconds after which it will be. */
export type RateLimit = (cost: number) => number;

/** A full bucket. */
export function rateLimit({ perSecond, burst, clock }: RateOptions): RateLimit {
  let left = burst;
  let atMs = clock.nowMs();
  return (cost) => {
    const nowMs = clock.nowMs();
    left = Math.min(burst, left + ((nowMs - atMs) / 1000) * perSecond);
    atMs = nowMs;
    if (left < cost) return Math.ceil(((cost - left) / perSecond) * 1000);
    left -= cost;
    return 0;
  };
}
