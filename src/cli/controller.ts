/** Starting a controller in this process, as the commands do it: what cannot start is a `Failure` like any other. */
import {
  type ControllerHandle,
  type ControllerOptions,
  StartFailure,
  startController,
} from "../app/index.ts";
import { Failure } from "./failure.ts";

/** Starts a controller; throws `Failure` when it cannot. */
export type StartController = (options: ControllerOptions) => Promise<ControllerHandle>;

/** `startController` of `app`, its failures as ours. */
export const start: StartController = async (options) => {
  try {
    return await startController(options);
  } catch (problem) {
    throw asFailure(problem);
  }
};

/** A `StartFailure` as a `Failure`; anything else is a bug and stays what it is. */
export function asFailure(problem: unknown): unknown {
  return problem instanceof StartFailure ? new Failure(problem.message, problem.mend) : problem;
}
