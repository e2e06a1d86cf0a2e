/** Door of `app`: the composed programs. */
import type { Config, Problem } from "../config/index.ts";
import type { ThrowawayClone } from "../database/io/index.ts";
import type * as Agents from "./databases/agents.ts";
import type { AskedServer } from "./databases/agents.ts";
import type { FailoverDemoOptions, FailoverDemoResult } from "./failover-demo/run-failover-demo.ts";
import type {
  CloneSource,
  DatabaseAgentOptions,
  RestoredDatabase,
  RestoreOptions,
  RunningDatabaseAgent,
} from "./run-database-agent.ts";
import type { DatabaseWitnessOptions, RunningDatabaseWitness } from "./run-database-witness.ts";
import type { RouterOptions, RunningRouter } from "./run-router.ts";
import type { RunningStore, StoreOptions } from "./run-store.ts";

export type * from "./api.ts";
export { type ClusterPasswords, readPasswords } from "./cluster-folder.ts";
export { type ControllerHandle, type ControllerOptions, startController } from "./controller.ts";
export type { AgentPort, FailoverMember, FailoverOptions } from "./database-failover.ts";
export type { AskedServer } from "./databases/agents.ts";
export { readPlaces } from "./databases/places.ts";
export type { FailoverDemoResult } from "./failover-demo/run-failover-demo.ts";
export { isFree } from "./ports.ts";
export type { RouterOptions, RouterSetup, RunningRouter } from "./run-router.ts";
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

/** Starts a witness and its agent in this process; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runDatabaseWitness = async (options: DatabaseWitnessOptions): Promise<RunningDatabaseWitness> =>
  (await import("./run-database-witness.ts")).runDatabaseWitness(options);

/** Shows a failover on a cluster of its own; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runFailoverDemo = async (options: FailoverDemoOptions): Promise<FailoverDemoResult> =>
  (await import("./failover-demo/run-failover-demo.ts")).runFailoverDemo(options);

/** Restores a backup into a new cluster of one server; loaded when it is asked for. Rejects with a `StartFailure`. */
export const restoreDatabase = async (options: RestoreOptions): Promise<RestoredDatabase> =>
  (await import("./run-database-agent.ts")).restoreDatabase(options);

/** Clones a server to try things on; loaded when it is asked for. Rejects with a `StartFailure`. */
export const cloneForTrial = async (source: CloneSource): Promise<ThrowawayClone> =>
  (await import("./run-database-agent.ts")).cloneForTrial(source);

/** Starts a Postgres router in processes of its own; loaded when it is asked for. Rejects with a `StartFailure`. */
export const runRouter = async (options: RouterOptions): Promise<RunningRouter> =>
  (await import("./run-router.ts")).runRouter(options);
