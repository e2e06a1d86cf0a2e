/** Door of `database`: what servers report, what agents are told, positions and timelines; pure. */
export { type BackupManifest, backupFor, type RestorePoint } from "./backups.ts";
export type { ControlFile, ControlState } from "./control-file.ts";
export { parseOrder } from "./order-codec.ts";
export type {
  AgentFacts,
  Order,
  OrderOutcome,
  OrderProblem,
  Progress,
  ServerSource,
  ServerState,
  StopMode,
} from "./orders.ts";
export { type PostgresSettings, RESERVED, slotName, type Upstream } from "./server-settings.ts";
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
