/** The config file and what is made of it: `Config` and `Snapshot`. Portable; reading files is behind `io/`. */
export { formatAddress, parseAddress } from "./address.ts";
export {
  buildSnapshot,
  type SnapshotOutcome,
  type SnapshotParts,
  type SnapshotRefusal,
  type TaskTarget,
} from "./build-snapshot.ts";
export * from "./cache.ts";
export * from "./config.ts";
export * from "./database.ts";
export { DEFAULTS } from "./defaults.ts";
export { deployBounds } from "./deploy-percent.ts";
export { describeAction, describeMatch } from "./describe.ts";
export { type Change, diff, type Effect, formatChange } from "./diff.ts";
export * from "./edges.ts";
export { parseJson, positionOf } from "./json.ts";
export { nearest } from "./nearest.ts";
export type { Surroundings } from "./normalise.ts";
export { type ConfigOutcome, parseConfig } from "./parse-config.ts";
export { parseSnapshot, type SnapshotReading } from "./parse-snapshot.ts";
export { formatProblem, type Problem } from "./problem.ts";
export * as shapes from "./shapes.ts";
export * from "./snapshot.ts";
export type { SteeredEdge, SteeringConfig, SteeringRegion } from "./steering.ts";
export * from "./store.ts";
export * from "./user-cache.ts";
export * from "./user-config.ts";
export * from "./user-database.ts";
export * from "./user-steering.ts";
export * from "./user-store.ts";
