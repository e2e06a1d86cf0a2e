/** Builders for the tests of the autoscalers. */
import type { Observed } from "../../../scaling/index.ts";
import type { Limits } from "./limits.ts";

/** Ten requests per task, seven wanted. */
export const LIMITS: Limits = { min: 1, max: 100, concurrency: 10, utilisation: 0.7 };

/** Long past every start-up. */
const WARM_MS = 3_600_000;

/** An observation of `wanted` ready tasks, each with this CPU (none = not measured). */
export function observedOf(
  wanted: number,
  { inFlight, cpu, deploying = false }: { inFlight?: number; cpu?: number; deploying?: boolean } = {},
): Observed {
  const task = { ready: true, ageMs: WARM_MS, ...(cpu === undefined ? {} : { cpu }) };
  const tasks = Array.from({ length: wanted }, () => task);
  return { wanted, tasks, deploying, ...(inFlight === undefined ? {} : { inFlight }) };
}
