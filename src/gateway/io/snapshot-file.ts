/**
 * The snapshot on disk: what a worker serves by, and all that it needs to start with no controller at all.
 */
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Cancel, Scheduler } from "../../base/index.ts";
import { parseSnapshot, type Snapshot } from "../../config/index.ts";

/** Looks again this often in case the file system told nothing (network mounts, exhausted inotify watches). */
const POLL_MS = 1_000;

/** Reads the snapshot at `path`. Throws with the reason when it is missing or damaged. */
export function readSnapshot(path: string): Snapshot {
  const parsed = parseSnapshot(readFileSync(path, "utf8"));
  if (parsed.kind === "damaged") throw new Error(`snapshot ${path}: ${parsed.reason}`);
  return parsed.snapshot;
}

/** Calls `changed` with each newer snapshot, `failed` when one cannot be read (the one in force stays). */
export class SnapshotWatch {
  readonly #path: string;
  readonly #scheduler: Scheduler;
  readonly #changed: (snapshot: Snapshot) => void;
  readonly #failed: (error: unknown) => void;
  #revision: number;
  #watcher: FSWatcher | undefined;
  #cancel: Cancel = () => {};

  constructor(
    path: string,
    revision: number,
    hooks: { scheduler: Scheduler; changed: (snapshot: Snapshot) => void; failed: (error: unknown) => void },
  ) {
    this.#path = path;
    this.#revision = revision;
    this.#scheduler = hooks.scheduler;
    this.#changed = hooks.changed;
    this.#failed = hooks.failed;
  }

  start(): void {
    try {
      const name = basename(this.#path);
      this.#watcher = watch(dirname(this.#path), (_, file) => {
        if (file === null || file === name) this.check();
      });
    } catch (error) {
      this.#failed(error); // Polling alone still finds every change.
    }
    this.check(); // What came between the first reading and the watch was told to nobody.
    this.#poll();
  }

  stop(): void {
    this.#cancel();
    this.#watcher?.close();
  }

  /** Looks now. */
  check(): void {
    try {
      const snapshot = readSnapshot(this.#path);
      if (snapshot.revision === this.#revision) return;
      this.#revision = snapshot.revision;
      this.#changed(snapshot);
    } catch (error) {
      this.#failed(error);
    }
  }

  #poll(): void {
    this.#cancel = this.#scheduler.after(POLL_MS, () => {
      this.check();
      this.#poll();
    });
  }
}
