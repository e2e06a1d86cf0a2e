/** Door of `database`: who is who, what servers report and agents are told, what a router does with a statement; pure. */
export { type Budget, connectionBudget, type Pools } from "./advice/connection-budget.ts";
export { type BackupManifest, backupFor, type RestorePoint } from "./backups.ts";
export type { ControlFile, ControlState } from "./control-file.ts";
export type { Member } from "./failover/member.ts";
export {
  DEFAULT_FAILOVER,
  type Durability,
  type FailoverSettings,
  LAG_BYTES_MAX,
  settingsProblem,
} from "./failover/settings.ts";
export type { FailoverStatus, SwitchoverOutcome } from "./failover/status.ts";
export { isName, parseOrder } from "./order-codec.ts";
export type {
  AgentFacts,
  Order,
  OrderOutcome,
  OrderProblem,
  Progress,
  ServerSource,
  ServerState,
  StopMode,
  WitnessFacts,
} from "./orders.ts";
export {
  PartitionProblem,
  PERIODS,
  type Period,
  parseName,
  parseTableName,
  type Scheme,
  type TableName,
} from "./partition/index.ts";
export { HELP, type PoolCommand, parseConsoleCommand, type Shown } from "./router/console/commands.ts";
export type { ConsoleFacts, ConsoleReply, PausedNames } from "./router/console/facts.ts";
export type { StateDetail, WorkerState } from "./router/console/state.ts";
export { trafficNow } from "./router/console/stats-tables.ts";
export { showTable } from "./router/console/tables.ts";
export type { Traffic } from "./router/console/traffic.ts";
export { DURATION_LIMITS_MS, type DurationCounts, Durations } from "./router/durations.ts";
export { POOL_DEFAULTS, type PoolMode, type PoolSettings } from "./router/pool-settings.ts";
export { ROUTER_REFUSALS, type RouterErrorCode } from "./router/refusals.ts";
export {
  type LookAt,
  lookAtStatement,
  NO_EFFECTS,
  PIN_REASONS,
  type PinReason,
  type SettingChange,
  type StatementEffects,
} from "./router/statement-effects.ts";
export { type ListedUser, parseUserList } from "./router/user-list.ts";
export {
  NO_PEERS,
  type PostgresSettings,
  REPLICATION_ROLE,
  slotName,
  type Upstream,
} from "./server-settings.ts";
export {
  type ArchiveView,
  archiveLagBytes,
  type DatabaseServerView,
  positionOf,
  type ReceiverView,
  type ReplicaView,
  SERVER_VIEW_QUERY,
  type SlotView,
} from "./server-view.ts";
export { type Descent, descent, parseHistory, type TimelineFork, type TimelinePosition } from "./timeline.ts";
export type { ClusterServer, ClusterView } from "./view.ts";
