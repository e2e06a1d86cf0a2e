/** The production rule of `scaling`, unchanged, on requests in flight, with the defaults of the config. */
import { type Autoscaler, productionAutoscaler } from "../autoscaler.ts";
import type { Limits } from "./limits.ts";

/** The defaults of `autoscale` in the config. */
const DEFAULTS = { downWindowMs: 300_000, stableWindowMs: 60_000, tolerance: 0.1, warmUpMs: 10_000 };

/** Our rule for a service that begins with so many tasks. */
export function tenfold({ min, max, concurrency, utilisation }: Limits, tasks: number): Autoscaler {
  return productionAutoscaler({ ...DEFAULTS, min, max, inFlight: concurrency * utilisation }, tasks);
}
