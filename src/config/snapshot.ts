/**
 * The snapshot: all that the data plane needs to serve, numbered, immutable, replaced whole.
 *
 * The controller builds one whenever the config or the set of tasks changes and publishes it atomically (write,
 * fsync, rename). Gateway workers load it, serve by it, and acknowledge its revision. They keep the last one on
 * disk, so that they can start and serve with no controller at all.
 */
import type { GatewayConfig, ListenerConfig, TargetConfig, TargetGroupConfig } from "./config.ts";

export interface Snapshot {
  /** Grows by one with each publication; never reused within a state directory. */
  readonly revision: number;
  readonly gateway: GatewayConfig;
  readonly listeners: readonly ListenerConfig[];
  readonly targetGroups: readonly TargetGroup[];
  /** Row where the next search for a free slot begins; going round is what makes a freed slot the last to be reused. */
  readonly slotCursor: number;
  /** The same for the rows of groups. */
  readonly groupSlotCursor: number;
}

/** A group with its live targets: static ones and the tasks of its service. */
export interface TargetGroup extends Omit<TargetGroupConfig, "targets" | "service"> {
  /** Row of this group in the shared scoreboard, 0..GROUP_SLOTS-1; kept from snapshot to snapshot like a target's. */
  readonly slot: number;
  readonly targets: readonly Target[];
}

/** One target as the data plane knows it. */
export interface Target extends Omit<TargetConfig, "name"> {
  /** Stable and unique within the group: its name, or "host:port". The identity that consistent hashing hashes. */
  readonly id: string;
  /**
   * Row of this target in the shared scoreboard, 0..SLOTS-1. The same target keeps its slot from snapshot to
   * snapshot; a freed slot is reused as late as possible.
   */
  readonly slot: number;
  /** "draining": no new requests; those in flight go on. */
  readonly state: "active" | "draining";
}

/** Rows in the scoreboard; more targets than this in one snapshot are refused. */
export const SLOTS = 4096;

/** Group rows in the scoreboard; more groups than this in one snapshot are refused. */
export const GROUP_SLOTS = 256;

/** How many gateway workers one scoreboard can hold (two generations of 32). */
export const WORKERS_MAX = 64;
