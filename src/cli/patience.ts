/** When something has been failing for so long that waiting for it is no use. */
import type { Clock } from "../base/index.ts";

/** A crash or two is not yet a reason to give up: the third attempt of a task comes after 3 s. */
const PATIENCE_MS = 5000;

/** Tells, look by look, whether it has been failing without a break for too long. */
export function patience(clock: Clock): (isFailing: boolean) => boolean {
  let sinceMs: number | undefined;
  return (isFailing) => {
    sinceMs = isFailing ? (sinceMs ?? clock.nowMs()) : undefined;
    return sinceMs !== undefined && clock.nowMs() - sinceMs >= PATIENCE_MS;
  };
}
