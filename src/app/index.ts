/** Door of `app`: the composed programs. */
import type { Config, Problem } from "../config/index.ts";
import type { Restored } from "../database/io/index.ts";
import type * as Agents from "./databases/agents.ts";
import type { AskedServer } from "./databases/agents.ts";
import type { DatabaseAgentOptions, RestoreOptions, RunningDatabaseAgent } from "./run-database-agent.ts";
import type { RunningStore, StoreOptions } from "./run-store.ts";

export type * from "./api.ts";
export { type ClusterPasswords, readPasswords } from "./cluster-folder.ts";
export { type ControllerHandle, type ControllerOptions, startController } from "./controller.ts";
export type { AskedServer } from "./databases/agents.ts";
export { readPlaces } from "./databases/places.ts";
export { isFree } from "./ports.ts";
export { StartFailure, stateFailure } from "./start-failure.ts";
export { decideOnce, type SteeringHandle, startSteering } from "./steering.ts";

/** What of a config's databases this machine cannot do; loaded when it is asked for. */
export const databaseMachineProblems = async (
  config: Config,
  stateDirectory: string,
): Promise<readonly Problem[]> =>
  (await import("./databases/problems.ts")).databaseMachineProblems(config, stateDirectory);

/** Asks the agents of a cluster's folder; loaded when it is asked for. */
export const askAgents = async (...asked: Parameters<typeof Agents.askAgents>): Promise<AskedServer[]> =>
  (await import("./databases/agents.ts")).askAgents(...asked);

/** Starts a store in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runStore = async (options: StoreOptions): Promise<RunningStore> =>
  (await import("./run-store.ts")).runStore(options);

/** Starts a Postgres server and its agent in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runDatabaseAgent = async (options: DatabaseAgentOptions): Promise<RunningDatabaseAgent> =>
  (await import("./run-database-agent.ts")).runDatabaseAgent(options);

/** Restores a backup into a new cluster of one server; loaded when it is asked for. Rejects with a `StartFailure`. */
export const restoreDatabase = async (options: RestoreOptions): Promise<Restored> =>
  (await import("./run-database-agent.ts")).restoreDatabase(options);
