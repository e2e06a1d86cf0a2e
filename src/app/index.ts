/** Door of `app`: the composed programs. */
export type * from "./api.ts";
export { type ControllerHandle, type ControllerOptions, startController } from "./controller.ts";
export { isFree } from "./ports.ts";
export { StartFailure, stateFailure } from "./start-failure.ts";
export { decideOnce, type SteeringHandle, startSteering } from "./steering.ts";
