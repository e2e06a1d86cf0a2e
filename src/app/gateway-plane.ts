/**
 * The gateway as the controller's data plane: snapshots go out as a file, everything comes back off the scoreboard.
 */
import { existsSync } from "node:fs";
import { type Clock, type Log, systemClock } from "../base/index.ts";
import { writeFileAtomic } from "../base/io/index.ts";
import type { Snapshot } from "../config/index.ts";
import type { DataPlane } from "../control/index.ts";
import { type Column, HEALTH, type Scoreboard } from "../gateway/index.ts";
import { openScoreboard, readSnapshot } from "../gateway/io/index.ts";
import type { StateDirectory } from "./state-directory.ts";

/** A worker whose heart (every 500 ms) has been silent for this long is counted as gone, even if its pid is in use. */
const SILENCE_MS = 10_000;

/** The snapshot names no secret, but it does name every route. */
const SNAPSHOT_MODE = 0o600;

export class GatewayPlane implements DataPlane {
  readonly scoreboard: Scoreboard;
  readonly #directory: StateDirectory;
  readonly #clock: Clock;
  #latest: Snapshot | undefined;

  /** Opens the state directory's scoreboard; `columns` is how many workers a fresh one has room for. */
  constructor(directory: StateDirectory, columns: number, log: Log, clock: Clock = systemClock) {
    this.#directory = directory;
    this.#clock = clock;
    this.scoreboard = openScoreboard(directory.scoreboard, columns);
    if (!existsSync(directory.snapshot)) return;
    try {
      this.#latest = readSnapshot(directory.snapshot);
    } catch (error) {
      log.warn("snapshot-unreadable", { error: String(error) }); // a new one is published in a moment
    }
  }

  latest(): Snapshot | undefined {
    return this.#latest;
  }

  async publish(snapshot: Snapshot): Promise<void> {
    this.#clearFreedSlots(snapshot);
    await writeFileAtomic(this.#directory.snapshot, JSON.stringify(snapshot), SNAPSHOT_MODE);
    this.#latest = snapshot;
  }

  ackedBy(revision: number): "all" | "waiting" | "no-workers" {
    const workers = this.workers();
    if (workers.length === 0) return "no-workers";
    return workers.every((column) => column.ackedRevision >= revision) ? "all" : "waiting";
  }

  inFlight(slot: number): number {
    return this.#sum((column) => column.targetInFlight[slot] ?? 0);
  }

  groupInFlight(slot: number): number | undefined {
    const workers = this.workers();
    return workers.length === 0 ? undefined : this.#sum((column) => column.groupInFlight[slot] ?? 0);
  }

  healthy(slot: number): boolean | undefined {
    const health = this.scoreboard.health(slot);
    return health === HEALTH.unknown ? undefined : health === HEALTH.healthy;
  }

  workerReady(pid: number): boolean {
    return this.workers().some((column) => column.pid === pid && column.ackedRevision > 0);
  }

  /** Columns of the workers that live. What a dead one had in flight died with it. */
  workers(): Column[] {
    return this.scoreboard.live(this.#clock.wallMs(), SILENCE_MS).filter((column) => isAlive(column.pid));
  }

  #sum(read: (column: Column) => number): number {
    return this.workers().reduce((sum, column) => sum + read(column), 0);
  }

  /** A target that takes over a row must not inherit the health of the one before it. */
  #clearFreedSlots(next: Snapshot): void {
    const before = slotOwners(this.#latest);
    for (const [slot, owner] of slotOwners(next)) {
      if (before.get(slot) !== owner) this.scoreboard.clearSlot(slot);
    }
  }
}

function slotOwners(snapshot: Snapshot | undefined): Map<number, string> {
  const groups = snapshot?.targetGroups ?? [];
  return new Map(
    groups.flatMap(({ name, targets }) => targets.map(({ slot, id }) => [slot, `${name} ${id}`])),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
