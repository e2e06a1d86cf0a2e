/** What is asked about a queue, and the inputs that every figure about it names. */
import type { ServiceObjective } from "./staffing.ts";

/** What is asked about one queue. */
export interface QueueQuestion {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
  /** Coefficients of variation; 1 unless set. */
  readonly arrivalCv: number;
  readonly serviceCv: number;
  /** Most in the system; absent = no bound. */
  readonly capacity?: number;
  readonly objective?: ServiceObjective;
}

/** Name, value and inputs of the figures that every model has. */
export function inputsOf({
  rateRps,
  serviceMs,
  servers,
}: Pick<QueueQuestion, "rateRps" | "serviceMs" | "servers">): [
  string,
  number,
  "perSecond" | "ms" | "count",
][] {
  return [
    ["rate", rateRps, "perSecond"],
    ["time", serviceMs, "ms"],
    ["servers", servers, "count"],
  ];
}
