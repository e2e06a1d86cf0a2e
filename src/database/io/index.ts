/** Door of `database` to the machine: Postgres servers, their agents, their backups. */
export { DatabaseAgent } from "./agent/agent.ts";
export { type AgentAddress, AgentClient, AgentServer } from "./agent/agent-server.ts";
export { BackupStore } from "./server/backup-store.ts";
export { type Binaries, type BinariesOptions, findBinaries } from "./server/binaries.ts";
export { drainFiles, drainStream, type MissingWal, missingWal } from "./server/drain.ts";
export { findOwner, type Owner } from "./server/owner.ts";
export { PostgresServer, type PostgresServerOptions } from "./server/postgres-server.ts";
export { ServerError, type ServerProblem } from "./server/problem.ts";
export { type Restored, restore, verifyBackup } from "./server/restore.ts";
