/** Door of `app`: the composed programs. */
import type { Restored, ThrowawayClone } from "../database/io/index.ts";
import type {
  CloneSource,
  DatabaseAgentOptions,
  RestoreOptions,
  RunningDatabaseAgent,
} from "./run-database-agent.ts";
import type { RunningStore, StoreOptions } from "./run-store.ts";

export type * from "./api.ts";
export {
  agentAddress,
  type ClusterPasswords,
  prepareToken,
  readPasswords,
  serversIn,
} from "./cluster-folder.ts";
export { type ControllerHandle, type ControllerOptions, startController } from "./controller.ts";
export { isFree } from "./ports.ts";
export { StartFailure, stateFailure } from "./start-failure.ts";
export { decideOnce, type SteeringHandle, startSteering } from "./steering.ts";

/** Starts a store in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runStore = async (options: StoreOptions): Promise<RunningStore> =>
  (await import("./run-store.ts")).runStore(options);

/** Starts a Postgres server and its agent in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runDatabaseAgent = async (options: DatabaseAgentOptions): Promise<RunningDatabaseAgent> =>
  (await import("./run-database-agent.ts")).runDatabaseAgent(options);

/** Restores a backup into a new cluster of one server; loaded when it is asked for. Rejects with a `StartFailure`. */
export const restoreDatabase = async (options: RestoreOptions): Promise<Restored> =>
  (await import("./run-database-agent.ts")).restoreDatabase(options);

/** Clones a server to try things on; loaded when it is asked for. Rejects with a `StartFailure`. */
export const cloneForTrial = async (source: CloneSource): Promise<ThrowawayClone> =>
  (await import("./run-database-agent.ts")).cloneForTrial(source);
