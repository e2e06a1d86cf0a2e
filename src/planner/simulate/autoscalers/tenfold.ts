/** The production rule of `scaling`, unchanged, on requests in flight, with the defaults of the config. */
import { DEFAULTS } from "../../../config/index.ts";
import { type Autoscaler, productionAutoscaler } from "../autoscaler.ts";
import type { Limits } from "./limits.ts";

/** Our rule for a service that begins with so many tasks. */
export function tenfold({ min, max, concurrency, utilisation }: Limits, tasks: number): Autoscaler {
  return productionAutoscaler(
    { ...DEFAULTS.autoscale, min, max, inFlight: concurrency * utilisation },
    tasks,
  );
}
