/** When something has been failing for so long that waiting for it is no use. */
import type { Status } from "../app/index.ts";
import type { Clock } from "../base/index.ts";
import { Failure } from "./failure.ts";

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

/** Throws, given status after status, once something has kept the controller from working for too long. */
export function hindranceCheck(clock: Clock): (status: Status) => void {
  const givesUp = patience(clock);
  return ({ controller: { problem } }) => {
    if (givesUp(problem !== null)) throw new Failure(`the controller cannot go on: ${problem}`, "");
  };
}
