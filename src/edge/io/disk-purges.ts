/**
 * The mirror of the purges as a file that all workers map: a purge is one word written, and the disk gets to know of it
 * within moments, or when somebody waits for that.
 */
import { close, fsync, openSync } from "node:fs";
import type { Purge } from "../store/index.ts";
import type { PurgeMirror } from "../store/purge-mirror.ts";
import { mirrorPath, openMirror } from "./disk-folder.ts";

/** The mirror, as one worker sees it. */
export class PurgeFile {
  readonly #mirror: PurgeMirror;
  readonly #descriptor: number;
  #isNoted = false;
  #syncing: Promise<boolean> | undefined;

  /** Throws when there is none. */
  constructor(folder: string) {
    this.#mirror = openMirror(folder);
    this.#descriptor = openSync(mirrorPath(folder), "r+");
  }

  /** Notes a purge that the store has carried out, and begins to write it to the disk. */
  note(purge: Purge, sequence: number): void {
    this.#mirror.note(purge, sequence);
    this.#isNoted = true;
    void this.sync();
  }

  /** Resolves when all that was noted is on the disk: one write for all that were noted meanwhile. */
  async sync(): Promise<boolean> {
    // The one under way may have begun before the latest purge.
    await this.#syncing;
    if (!this.#isNoted) return true;
    this.#syncing ??= this.#sync();
    return this.#syncing;
  }

  async stop(): Promise<void> {
    await this.sync();
    close(this.#descriptor, () => {});
  }

  async #sync(): Promise<boolean> {
    let isDone = true;
    while (this.#isNoted && isDone) {
      this.#isNoted = false;
      isDone = await new Promise<boolean>((resolve) => {
        fsync(this.#descriptor, (error) => resolve(error === null));
      });
    }
    this.#isNoted ||= !isDone;
    this.#syncing = undefined;
    return isDone;
  }
}
