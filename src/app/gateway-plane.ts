/**
 * The gateway as the controller's data plane: snapshots go out as a file, everything comes back off the scoreboard.
 */
import { existsSync, statSync } from "node:fs";
import { type Clock, type Log, systemClock } from "../base/index.ts";
import type { Snapshot } from "../config/index.ts";
import type { DataPlane } from "../control/index.ts";
import { type DiskStats, openBlock, type Store, type StoreStats } from "../edge/index.ts";
import { type DiskTier, mapStore, openStore, sealStore } from "../edge/io/index.ts";
import { type Column, HEALTH, type Scoreboard } from "../gateway/index.ts";
import { objectShare, openScoreboard } from "../gateway/io/index.ts";
import { type CacheDiskOptions, joinCacheDisk, openCacheDisk, sealCacheDisk } from "./cache-disk.ts";
import { SnapshotPublication } from "./snapshot-publication.ts";
import type { StateDirectory } from "./state-directory.ts";

/** A worker whose heart (every 500 ms) has been silent for this long is counted as gone, even if its pid is in use. */
const SILENCE_MS = 10_000;

export class GatewayPlane implements DataPlane {
  readonly #directory: StateDirectory;
  readonly #columns: number;
  #scoreboard: Scoreboard;
  #scoreboardFile: string;
  /** Boards whose file was deleted or replaced while workers wrote to it; they may still do. */
  #lost: Scoreboard[] = [];
  readonly #clock: Clock;
  readonly #snapshot: SnapshotPublication;
  #cache: Store | undefined;
  #disk: DiskTier | undefined;
  readonly #log: Log;
  /** Called after each snapshot, before workers that it is the first for are there. */
  published: () => void = () => {};

  /** Opens the state directory's scoreboard; `columns` is how many workers a fresh one has room for. */
  constructor(directory: StateDirectory, columns: number, log: Log, clock: Clock = systemClock) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#columns = columns;
    this.#scoreboard = openScoreboard(directory.scoreboard, columns);
    this.#scoreboardFile = identityOf(directory.scoreboard);
    this.#snapshot = new SnapshotPublication(directory.snapshot);
    if (!existsSync(directory.snapshot)) return;
    this.#takeStoreInUse(); // when nothing has changed since, nothing is published
    try {
      this.#snapshot.takeUp();
    } catch (error) {
      log.warn("snapshot-unreadable", { error: String(error) }); // a new one is published in a moment
    }
  }

  get scoreboard(): Scoreboard {
    return this.#scoreboard;
  }

  /**
   * Makes a new scoreboard when the file of the one in use is gone; true when it did. The old one is read on, since
   * what its workers have in flight must count, until none of them lives.
   */
  restoreScoreboard(): boolean {
    this.#lost = this.#lost.filter((board) => this.#liveColumns(board).length > 0);
    if (identityOf(this.#directory.scoreboard) === this.#scoreboardFile) return false;
    this.#lost.push(this.#scoreboard);
    this.#scoreboard = openScoreboard(this.#directory.scoreboard, this.#columns);
    this.#scoreboardFile = identityOf(this.#directory.scoreboard);
    return true;
  }

  latest(): Snapshot | undefined {
    return this.#snapshot.latest;
  }

  /** The store of cached responses; opened when a rule first has a cache, or when workers that run have one. */
  get cache(): Store | undefined {
    return this.#cache;
  }

  /** The disk tier below it, if there is one: purges go through it. */
  get disk(): DiskTier | undefined {
    return this.#disk;
  }

  /** What it holds and all workers did with it. */
  diskStats(): DiskStats | undefined {
    return this.cacheStats() === undefined ? undefined : this.#disk?.stats();
  }

  /** What it holds and did; undefined while no rule has a cache. */
  cacheStats(): StoreStats | undefined {
    const latest = this.latest();
    return latest !== undefined && wantsCache(latest) ? this.#cache?.stats() : undefined;
  }

  async publish(snapshot: Snapshot): Promise<void> {
    this.#openCache(snapshot);
    this.#clearFreedSlots(snapshot);
    await this.#snapshot.publish(snapshot);
    this.published();
  }

  /** Writes the snapshot once more when somebody else changed or deleted its file; true when it did. */
  restoreSnapshot(): Promise<boolean> {
    return this.#snapshot.restore();
  }

  /** Before any worker maps it. Without room for it the workers serve without a cache, and say so. */
  #openCache(snapshot: Snapshot): void {
    const { gateway } = snapshot;
    if (!wantsCache(snapshot) || this.#cache !== undefined) return;
    this.#takeStoreInUse();
    if (this.#cache !== undefined) return;
    try {
      const store = openStore({
        path: this.#directory.cache,
        bytes: gateway.cache.memoryBytes,
        objectShare: objectShare(snapshot),
        workers: this.#columns + 1,
        worker: this.#columns,
      });
      this.#disk = openCacheDisk(gateway.cache.disk, this.#diskOptions(store));
      this.#cache = store;
    } catch (error) {
      this.#log.error("cache-unavailable", {
        error: String(error),
        mend: "free the space, or lower gateway.cache.memory",
      });
    }
  }

  #takeStoreInUse(): void {
    this.#cache = this.#storeInUse();
    this.#disk = this.#cache === undefined ? undefined : joinCacheDisk(this.#diskOptions(this.#cache));
  }

  #diskOptions(store: Store): CacheDiskOptions {
    return { directory: this.#directory, store, columns: this.#columns, log: this.#log };
  }

  /**
   * The store that workers of an earlier controller map, whatever its size: a purge in another one would not reach
   * them. Not when it has no column for each worker that there may be now, and the last for the controller.
   */
  #storeInUse(): Store | undefined {
    const { cache } = this.#directory;
    if (this.workers().length === 0 || !existsSync(cache)) return undefined;
    try {
      const last = openBlock(Bun.mmap(cache, { shared: true })).layout.sizes.workers - 1;
      if (last < this.#columns) throw new RangeError(`the cache in use has columns for ${last} workers`);
      const store = mapStore(cache, last);
      store.clearDeadWorkers();
      return store;
    } catch (error) {
      const mend = "`tenfold down` and `tenfold up` give all workers the same one";
      this.#log.warn("cache-replaced", { error: String(error), mend });
      return undefined;
    }
  }

  /** Once the gateway is down: what is cached is still believed after a restart of the machine. */
  async sealCache(): Promise<void> {
    if (this.#cache === undefined) return;
    if (this.#disk !== undefined) await sealCacheDisk(this.#disk, this.#directory.cacheDiskLink, this.#log);
    try {
      sealStore(this.#directory.cache);
    } catch (error) {
      this.#log.warn("cache-unsealed", { error: String(error), note: "a restart of the machine empties it" });
    }
  }

  /** The workers go on without this controller. */
  async leave(): Promise<void> {
    await this.#disk?.stop();
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
    const columns = this.#liveColumns(this.#scoreboard);
    return columns.some((column) => column.pid === pid && column.ackedRevision > 0);
  }

  /** Columns of the workers that live. What a dead one had in flight died with it. */
  workers(): Column[] {
    return [this.#scoreboard, ...this.#lost].flatMap((board) => this.#liveColumns(board));
  }

  #liveColumns(board: Scoreboard): Column[] {
    return board.live(this.#clock.wallMs(), SILENCE_MS).filter((column) => isAlive(column.pid));
  }

  #sum(read: (column: Column) => number): number {
    return this.workers().reduce((sum, column) => sum + read(column), 0);
  }

  /** A target that takes over a row must not inherit the health of the one before it. */
  #clearFreedSlots(next: Snapshot): void {
    const before = slotOwners(this.latest());
    for (const [slot, owner] of slotOwners(next)) {
      if (before.get(slot) === owner) continue;
      for (const board of [this.#scoreboard, ...this.#lost]) board.clearSlot(slot);
    }
  }
}

function wantsCache({ listeners }: Snapshot): boolean {
  return listeners.some(({ rules }) => rules.some(({ cache }) => cache !== undefined));
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

/** What tells a file from another that has taken its name; empty when there is none. */
function identityOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.dev} ${stat.ino}`;
}
