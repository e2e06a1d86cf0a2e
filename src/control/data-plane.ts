/**
 * The data plane as the controller sees it: a place to publish snapshots to, and readings of what the gateway workers
 * do. No message ever goes to a worker and none is waited for; the gateway serves on when nobody reads or publishes.
 */
import type { Snapshot } from "../config/index.ts";

export interface DataPlane {
  /** The snapshot published last, by an earlier controller too. */
  latest(): Snapshot | undefined;
  /** Replaces the snapshot, durably; resolved does not mean that any worker serves by it yet. */
  publish(snapshot: Snapshot): Promise<void>;
  /** Whether every live worker serves by `revision` or a later one. */
  ackedBy(revision: number): "all" | "waiting" | "no-workers";
  /** Requests in flight to the target in this row of the scoreboard, over all workers. */
  inFlight(slot: number): number;
  /** What the gateway's own checks say of the target; undefined = not known yet. */
  healthy(slot: number): boolean | undefined;
  /**
   * Requests in flight to the group in this row, those that wait for a connection included; undefined when it cannot
   * be told, as while no worker lives.
   */
  groupInFlight(slot: number): number | undefined;
  /** Whether the worker process with this pid has loaded a snapshot, serves, and is heard of. */
  workerReady(pid: number): boolean;
}
