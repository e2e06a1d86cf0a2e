/** Time as the demo takes it. */
import { systemClock, systemScheduler } from "../../base/index.ts";

/** Milliseconds that only grow. */
export const nowMs = (): number => systemClock.nowMs();

/** Resolves after so long. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void systemScheduler.after(ms, resolve));
}
