/** A data plane in memory: it acknowledges, counts and judges as a test tells it to. */
import type { Snapshot } from "../../config/index.ts";
import type { DataPlane } from "../data-plane.ts";

export class MemoryDataPlane implements DataPlane {
  /** Every snapshot that was published, oldest first. */
  readonly published: Snapshot[] = [];
  /** What `ackedBy` answers for revisions above `ackedUpTo`. */
  pending: "waiting" | "no-workers" = "waiting";
  /** Revisions up to this one are served by all workers; all of them unless set. */
  ackedUpTo: number = Number.POSITIVE_INFINITY;
  /** By target address: requests in flight, and what the checks say. */
  readonly inFlightTo: Map<string, number> = new Map();
  readonly healthOf: Map<string, boolean> = new Map();
  /** By group name. */
  readonly inFlightOfGroup: Map<string, number> = new Map();
  workersReady = true;
  /** Pids of workers that are not heard of. */
  readonly silent: Set<number> = new Set();

  latest(): Snapshot | undefined {
    return this.published.at(-1);
  }

  async publish(snapshot: Snapshot): Promise<void> {
    this.published.push(snapshot);
  }

  ackedBy(revision: number): "all" | "waiting" | "no-workers" {
    return revision <= this.ackedUpTo ? "all" : this.pending;
  }

  inFlight(slot: number): number {
    return this.inFlightTo.get(this.#targetAt(slot) ?? "") ?? 0;
  }

  healthy(slot: number): boolean | undefined {
    return this.healthOf.get(this.#targetAt(slot) ?? "");
  }

  groupInFlight(slot: number): number | undefined {
    const group = this.latest()?.targetGroups.find((candidate) => candidate.slot === slot);
    return this.inFlightOfGroup.get(group?.name ?? "");
  }

  workerReady(pid: number): boolean {
    return this.workersReady && !this.silent.has(pid);
  }

  /** Targets of the latest snapshot in this state. */
  targets(state: "active" | "draining"): string[] {
    const targets = this.latest()?.targetGroups.flatMap((group) => group.targets) ?? [];
    return targets.filter((target) => target.state === state).map((target) => target.id);
  }

  #targetAt(slot: number): string | undefined {
    const all = this.published.flatMap((snapshot) => snapshot.targetGroups.flatMap((group) => group.targets));
    return all.findLast((target) => target.slot === slot)?.id;
  }
}
