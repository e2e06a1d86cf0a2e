/**
 * The store's files: what there was at some moment, and everything that changed since.
 *
 *   snapshot-7 (whole, or not there) + log-7 + log-8 …   numbered; a rewrite makes snapshot-N+1, and what is older goes
 *
 * A rewrite begins with a new log and walks over all keys in slices, while the store goes on. A key that changes before the
 * walk has come to it is written down first, as it was: so the snapshot shows one moment, and needs no copy of anything.
 *
 * A disk that is full refuses writes, in Redis' words, until what is left over from before can be written. Then it heals.
 */
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import type { Call } from "../call.ts";
import type { Keyspace } from "../keyspace.ts";
import { Batch } from "../log/batch.ts";
import type { StoreLog } from "../log/store-log.ts";
import type { Store } from "../store.ts";
import { FILE_MODE, type LoadReport, loadFiles, logPath, removeOlder } from "./recovery.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";

/** A record is closed at this size, so that one round's writes do not pile up. */
const RECORD_BYTES = 1024 * 1024;

/** `fsync: everysec` syncs this often. */
const SYNC_MS = 1000;

/** A rewrite that failed is not tried again before this. */
const REWRITE_RETRY_MS = 60_000;

export class LogFiles implements StoreLog {
  refusal: string | undefined;
  lastRewriteFailed = false;
  lastRewriteMs: number;
  bytes = 0;
  baseBytes = 0;
  /** Told when something waits to be written. */
  changed: () => void = () => {};
  /** What was found when the files were opened. */
  readonly report: LoadReport;
  readonly #store: Store;
  readonly #folder: string;
  readonly #batch = new Batch();
  #generation: number;
  #file: number;
  /** Bytes of the present log that are whole. */
  #logBytes: number;
  #unsyncedSinceMs = 0;
  #syncing = false;
  #snapshot: SnapshotWriter | undefined;
  #retryMs = 0;

  /** Opens the files in `folder`, which must exist, and reads them into the store. Throws with the file and the mend. */
  constructor(store: Store, folder: string) {
    this.#store = store;
    this.#folder = folder;
    this.report = loadFiles(store, folder);
    this.#generation = this.report.generation;
    this.#logBytes = this.report.logBytes;
    this.bytes = this.report.bytes;
    this.baseBytes = this.report.bytes;
    this.lastRewriteMs = store.startedMs;
    this.#file = openSync(logPath(folder, this.#generation), "a", FILE_MODE);
    ftruncateSync(this.#file, this.#logBytes);
  }

  get hasUnwritten(): boolean {
    return !this.#batch.isEmpty;
  }
  get isRewriting(): boolean {
    return this.#snapshot !== undefined;
  }

  // --- writing ------------------------------------------------------------------------------------------------

  write(call: Call): void {
    const { index } = call.space;
    if (call.logged === undefined) this.#batch.addArguments(index, call);
    else for (const request of call.logged) this.#batch.add(index, request);
    this.#added(call.mayBlock);
  }

  writeDelete(space: Keyspace, key: Uint8Array): void {
    this.#batch.add(space.index, ["DEL", key]);
    this.#added(false);
  }

  /** A transaction must not be split: only what ends outside of one may close a record. */
  #added(mayEnd: boolean): void {
    if (mayEnd && this.#batch.length > RECORD_BYTES && this.#store.settings.fsync !== "always") this.flush();
    this.changed();
  }

  /** Writes what waits, and syncs it where that is asked for. False when the disk refused. */
  flush(): boolean {
    if (this.#batch.isEmpty) return true;
    const record = this.#batch.seal();
    try {
      writeAll(this.#file, record);
      if (this.#store.settings.fsync === "always") fdatasyncSync(this.#file);
    } catch (problem) {
      this.#refuse(problem);
      return false;
    }
    this.#logBytes += record.length;
    this.bytes += record.length;
    if (this.#unsyncedSinceMs === 0) this.#unsyncedSinceMs = this.#store.ground.nowMs;
    this.#batch.clear();
    this.refusal = undefined;
    return true;
  }

  /** What waits is kept, and tried again; nothing is added to it but what expires. */
  #refuse(problem: unknown): void {
    const text =
      problem instanceof Error
        ? problem.message.replace(/^[A-Z]+: /, "").replace(/, \w+$/, "")
        : String(problem);
    this.refusal = `MISCONF Errors writing to the AOF file: ${text}`;
    try {
      ftruncateSync(this.#file, this.#logBytes);
    } catch {
      // A file that cannot even be cut is read up to its last whole record at the next start.
    }
  }

  /** To be called about ten times a second. */
  cycle(): void {
    if (this.refusal !== undefined) this.flush();
    const { settings, ground } = this.#store;
    const isDue = this.#unsyncedSinceMs > 0 && ground.nowMs - this.#unsyncedSinceMs >= SYNC_MS;
    if (settings.fsync === "everysec" && isDue && !this.#syncing) this.#sync();
    this.#snapshot?.walk();
    this.#rewriteWhenGrown();
  }

  #sync(): void {
    this.#syncing = true;
    this.#unsyncedSinceMs = 0;
    const file = this.#file;
    fdatasync(file, (problem) => {
      this.#syncing = false;
      // A log that was closed meanwhile was synced then.
      if (problem !== null && file === this.#file) this.#refuse(problem);
    });
  }

  // --- rewriting ----------------------------------------------------------------------------------------------

  #rewriteWhenGrown(): void {
    const { rewritePercent, rewriteBytesMin } = this.#store.settings;
    if (rewritePercent === 0 || this.isRewriting || this.bytes < rewriteBytesMin) return;
    if (this.#store.ground.nowMs < this.#retryMs) return;
    if (this.bytes >= this.baseBytes * (1 + rewritePercent / 100)) this.rewrite();
  }

  rewrite(): void {
    if (this.isRewriting || !this.flush()) return;
    try {
      const next = this.#generation + 1;
      const file = openSync(logPath(this.#folder, next), "a", FILE_MODE);
      fdatasyncSync(this.#file);
      closeSync(this.#file);
      this.#file = file;
      this.#generation = next;
      this.#logBytes = 0;
      this.#snapshot = new SnapshotWriter(this.#store, this.#folder, next, (bytes) => this.#rewritten(bytes));
      this.#snapshot.walk();
    } catch {
      this.#rewritten(undefined);
    }
  }

  /** The snapshot is there with so many bytes, or could not be written. */
  #rewritten(bytes: number | undefined): void {
    this.#snapshot = undefined;
    this.lastRewriteFailed = bytes === undefined;
    this.#retryMs = this.#store.ground.nowMs + (bytes === undefined ? REWRITE_RETRY_MS : 0);
    if (bytes === undefined) return;
    removeOlder(this.#folder, this.#generation);
    this.bytes = bytes + this.#logBytes;
    this.baseBytes = bytes;
    this.lastRewriteMs = this.#store.ground.nowMs;
  }

  /** Writes what waits, syncs and closes. A rewrite that is under way is given up: the logs say it all. */
  async close(): Promise<void> {
    this.#snapshot?.abandon();
    this.flush();
    fdatasyncSync(this.#file);
    closeSync(this.#file);
  }
}

/** A write may take less than it was given. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}
