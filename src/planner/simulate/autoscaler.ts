/**
 * What a simulated service asks how many tasks it should have: the production rule, or a model of another product's.
 */
import { decide, initialMemory, type Observed, type ScalePolicy } from "../../scaling/index.ts";

/** One service's autoscaler, with its memory. */
export interface Autoscaler {
  readonly name: string;
  /** Time between two calls of `step`, ms. */
  readonly periodMs: number;
  /** The number of tasks wanted from now on. `nowMs` is simulated time and grows from call to call. */
  step(observed: Observed, nowMs: number): number;
}

/** How often the controller decides. */
const DECIDE_MS = 1000;

/** The production rule, unchanged, for a service that begins with so many tasks. */
export function productionAutoscaler(policy: ScalePolicy, tasks: number): Autoscaler {
  let memory = initialMemory(tasks, 0);
  return {
    name: "tenfold",
    periodMs: DECIDE_MS,
    step(observed, nowMs) {
      const outcome = decide(observed, policy, memory, nowMs);
      memory = outcome.memory;
      return outcome.decision.result;
    },
  };
}
