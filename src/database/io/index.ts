/** Door of `database` to the machine: Postgres servers, their agents and backups; the router. */
export { advise, type DatabaseAdvice } from "./advice/advise.ts";
export { fetchLimits } from "./advice/facts.ts";
export { type ThrowawayClone, throwawayClone } from "./advice/throwaway-clone.ts";
export { DatabaseAgent } from "./agent/agent.ts";
export {
  type AgentAddress,
  AgentClient,
  AgentServer,
  type AgentServerParts,
  type ServedAgent,
} from "./agent/agent-server.ts";
export type { Driven } from "./failover/driven.ts";
export { FailoverDriver, type FailoverParts } from "./failover/driver.ts";
export { type Peers, peersAt } from "./failover/peers.ts";
export { ServerMember } from "./failover/server-member.ts";
export { WitnessMember } from "./failover/witness-member.ts";
export { openLeaseStore, type StoreWanted } from "./lease/open-store.ts";
export {
  abortPartition,
  dropOldTable,
  type PartitionParts,
  PartitionSession,
  partitionTable,
  planPartition,
} from "./partition/index.ts";
export { Counters } from "./router/counters.ts";
export { fetchVerifiers } from "./router/fetch-verifiers.ts";
export type { ReadsSettings } from "./router/reads.ts";
export type { AuthUser, PoolStatus, RouterParts, RouterSettings } from "./router/router-settings.ts";
export { RouterWorker } from "./router/router-worker.ts";
export { ClientTls, type ClientTlsSettings } from "./router/tls/client-tls.ts";
export { ServerTls } from "./router/tls/server-tls.ts";
export type { FetchVerifier, UserConfig } from "./router/users.ts";
export { ensureAppDatabase } from "./server/app-database.ts";
export { BackupStore } from "./server/backup-store.ts";
export { type Binaries, type BinariesOptions, findBinaries, locateBinaries } from "./server/binaries.ts";
export { type ControlAddress, type ControlClient, connectControl } from "./server/control-client.ts";
export { drainFiles, drainStream, type MissingWal, missingWal } from "./server/drain.ts";
export { stopLeftServer } from "./server/left-server.ts";
export { ensureReachable, findOwner, type Owner } from "./server/owner.ts";
export { PostgresServer, type PostgresServerOptions } from "./server/postgres-server.ts";
export { ServerError, type ServerProblem } from "./server/problem.ts";
export { isRestoring, type Restored, restore, verifyBackup } from "./server/restore.ts";
export { takeOver } from "./server/take-over.ts";
export type { TlsSources } from "./server/tls-files.ts";
export { WalWitness } from "./witness/wal-witness.ts";
