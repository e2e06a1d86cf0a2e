/** The snapshot file as its one writer sees it: published version after version, put back when somebody else changes it. */
import { statSync } from "node:fs";
import { writeFileAtomic } from "../base/io/index.ts";
import type { Snapshot } from "../config/index.ts";
import { readSnapshot } from "../gateway/io/index.ts";

/** The snapshot names no secret, but it does name every route. */
const MODE = 0o600;

/**
 * Writes one after the other. A look at the file while a new version is on its way would take it for somebody else's,
 * put the old one back, and leave the workers waiting for a revision that nobody can read.
 */
export class SnapshotPublication {
  readonly #path: string;
  #latest: Snapshot | undefined;
  /** The file as it was when it was written or read here last. */
  #stamp = "";
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** Goes on from what an earlier controller published. Throws when it cannot be read. */
  takeUp(): void {
    this.#latest = readSnapshot(this.#path);
    this.#stamp = stampOf(this.#path);
  }

  /** Replaces the file, durably. Rejects with the system's error, and then the version before is still in force. */
  publish(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write(snapshot);
      this.#latest = snapshot;
    });
  }

  /** Writes the latest version once more when somebody else changed or deleted the file; true when it did. */
  restore(): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#latest === undefined || stampOf(this.#path) === this.#stamp) return false;
      await this.#write(this.#latest);
      return true;
    });
  }

  async #write(snapshot: Snapshot): Promise<void> {
    await writeFileAtomic(this.#path, JSON.stringify(snapshot), MODE);
    this.#stamp = stampOf(this.#path);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** What tells a file from another that has taken its name, and from itself after a change; empty when there is none. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
