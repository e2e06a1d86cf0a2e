/** What is asked about a queue, how well its model knows the answer, and the inputs that every figure about it names. */
import type { FigureInput } from "../report/figure.ts";
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

/** A figure's inputs, as `figure` takes them. */
export type Inputs = (readonly [FigureInput["name"], number, FigureInput["unit"]])[];

/** How well a model knows a queue: all of it, its means, or about. */
export type Exactness = "exact" | "exact means" | "approximate";

/** Times of exponential distribution on both sides: everything is known. */
export function isMarkov({ arrivalCv, serviceCv }: QueueQuestion): boolean {
  return arrivalCv === 1 && serviceCv === 1;
}

/** How well the model of this question knows its queue. */
export function exactnessOf(question: QueueQuestion): Exactness {
  if (isMarkov(question)) return "exact";
  return question.arrivalCv === 1 && question.servers === 1 ? "exact means" : "approximate";
}

/** Name, value and unit of what was given; variation only where it is not 1. */
export function inputsOf(question: QueueQuestion): Inputs {
  const { rateRps, serviceMs, servers, arrivalCv, serviceCv } = question;
  return [
    ["rate", rateRps, "perSecond"],
    ["time", serviceMs, "ms"],
    ["servers", servers, "count"],
    ...(isMarkov(question)
      ? []
      : ([
          ["arrival cv", arrivalCv, "ratio"],
          ["time cv", serviceCv, "ratio"],
        ] as const)),
  ];
}
