/** Door of `app`: the composed programs. */
import type { RunningStore, StoreOptions } from "./run-store.ts";

export type * from "./api.ts";
export { type ControllerHandle, type ControllerOptions, startController } from "./controller.ts";
export { isFree } from "./ports.ts";
export { StartFailure, stateFailure } from "./start-failure.ts";

/** Starts a store in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runStore = async (options: StoreOptions): Promise<RunningStore> =>
  (await import("./run-store.ts")).runStore(options);
