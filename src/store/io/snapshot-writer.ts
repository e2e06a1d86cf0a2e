/**
 * Writes a snapshot in slices, beside a store that goes on: a walk over all keys, and before a key that the walk has not come to
 * is changed, that key. The file has its name only when it is whole and synced.
 */
import { closeSync, fdatasyncSync, openSync, renameSync, rmSync } from "node:fs";
import { Batch } from "../log/batch.ts";
import { dumpEntry } from "../log/dump.ts";
import type { Store } from "../store.ts";
import { writeAll } from "./log-files.ts";
import { FILE_MODE, snapshotPath, syncFolder } from "./recovery.ts";

/** Bytes of one record. */
const RECORD_BYTES = 256 * 1024;

/** One slice; ten a second leave nine tenths of the time to the clients, and more slices follow when nobody asks for anything. */
const SLICE_MS = 10;

/** Keys between two looks at the clock. */
const SCAN_KEYS = 64;

/** The request that ends a snapshot, with the number of keys. */
export const SNAPSHOT_END = "SNAPSHOT-END";

export class SnapshotWriter {
  readonly #store: Store;
  readonly #folder: string;
  readonly #generation: number;
  readonly #done: (bytes: number | undefined) => void;
  readonly #batch = new Batch();
  #file: number;
  #bytes = 0;
  #keys = 0;
  #database = 0;
  #cursor = 0;
  #failed = false;
  #over = false;

  /** Begins. `done` is told how large it became, or undefined when it could not be written. */
  constructor(store: Store, folder: string, generation: number, done: (bytes: number | undefined) => void) {
    this.#store = store;
    this.#folder = folder;
    this.#generation = generation;
    this.#done = done;
    this.#file = openSync(this.#path, "w", FILE_MODE);
    const { ground } = store;
    ground.dumpedWhen = !ground.dumpedWhen;
    ground.dump = (space, ref) => {
      this.#keys++;
      if (!this.#failed) dumpEntry(space, ref, this.#batch, () => this.#writeWhenFull());
      this.#writeWhenFull();
    };
  }

  get #path(): string {
    return `${snapshotPath(this.#folder, this.#generation)}.part`;
  }

  /** Goes on for a slice. */
  walk(): void {
    const { clock, scheduler } = this.#store.parts;
    const endMs = clock.nowMs() + SLICE_MS;
    while (!this.#over && clock.nowMs() < endMs) {
      if (this.#database < this.#store.spaces.length) this.#step();
      else this.#finish();
    }
    if (!this.#over) scheduler.after(1, () => this.walk());
  }

  #step(): void {
    const space = this.#store.space(this.#database);
    const refs: number[] = [];
    this.#cursor = space.dict.scan(this.#cursor, SCAN_KEYS, (ref) => refs.push(ref));
    for (const ref of refs) space.beforeWrite(ref);
    if (this.#cursor === 0) this.#database++;
  }

  #writeWhenFull(): void {
    if (this.#batch.length >= RECORD_BYTES) this.#write();
  }

  #write(): void {
    const record = this.#batch.seal();
    try {
      if (!this.#failed) writeAll(this.#file, record);
      this.#bytes += record.length;
    } catch {
      // The walk goes on, so that every key has its mark; the old files say all that this one would have.
      this.#failed = true;
    }
    this.#batch.clear();
  }

  #finish(): void {
    this.#batch.add(0, [SNAPSHOT_END, String(this.#keys)]);
    this.#write();
    this.#end();
    try {
      if (!this.#failed) fdatasyncSync(this.#file);
      closeSync(this.#file);
      if (!this.#failed) renameSync(this.#path, snapshotPath(this.#folder, this.#generation));
      else rmSync(this.#path, { force: true });
      syncFolder(this.#folder);
    } catch {
      this.#failed = true;
    }
    this.#done(this.#failed ? undefined : this.#bytes);
  }

  #end(): void {
    this.#over = true;
    this.#store.ground.dump = undefined;
  }

  /** Gives up, for a store that ends. */
  abandon(): void {
    this.#end();
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}
