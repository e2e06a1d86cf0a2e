/**
 * What a simulated service asks how many tasks it should have: the production rule, or a model of another product's.
 */
import type { Observed } from "../../scaling/index.ts";

/** One service's autoscaler, with its memory. */
export interface Autoscaler {
  readonly name: string;
  /** Time between two calls of `step`, ms. */
  readonly periodMs: number;
  /** The number of tasks wanted from now on. `nowMs` is simulated time and grows from call to call. */
  step(observed: Observed, nowMs: number): number;
}

/** Makes the autoscaler of one run. */
export type AutoscalerFactory = () => Autoscaler;
