/**
 * The object store as a file that all workers map into their memory.
 *
 * Its bytes are all written before it is mapped: a hole in a mapped file would kill the process that first touches
 * it on a full disk. The controller opens it before any worker starts; workers only map it.
 *
 * What a process leaves in the file when it is killed is whole, since the kernel keeps the pages. What a crash of
 * the machine leaves on a disk is not: pages reach it in any order. So the file bears the id of the boot in which it
 * was used, and after another boot it is believed only when it was sealed: written to disk, with nobody using it. A
 * checksum in each record would not do instead, for it says nothing about index and rings, and would cost every
 * first hit a pass over the body.
 */
import { existsSync, statSync } from "node:fs";
import {
  formatStore,
  HEADER,
  openBlock,
  pidsIn,
  Store,
  type StoreOptions,
  type StoreSizes,
  sameSizes,
  sizesFor,
} from "../store/index.ts";
import { bootId, createMapped, isOfThisBoot, mapFile, syncFile } from "./mapped-file.ts";

/** Which store, and which column of it this process uses. */
export interface OpenStoreOptions extends StoreOptions {
  readonly path: string;
  /** Column of this process; 0 by default. */
  readonly worker?: number;
}

/**
 * Opens the store at `path`, making a fresh one when there is none, when it is of another version or size, or when
 * the machine may have crashed under it. Throws when the disk has no room for all its bytes.
 */
export function openStore(options: OpenStoreOptions): Store {
  const { path, worker = 0 } = options;
  const sizes = sizesFor(options);
  if (!isUsable(path, sizes)) {
    createMapped(path, options.bytes, (block) =>
      formatStore(block, sizes, crypto.getRandomValues(new Int32Array(1))[0] ?? 0),
    );
  }
  markUsed(path);
  const store = mapStore(path, worker);
  store.clearDeadWorkers();
  return store;
}

/** Maps an existing store as worker `worker`. Throws when it is missing or not one. */
export function mapStore(path: string, worker: number): Store {
  return new Store(mapFile(path), { worker, pid: process.pid, isAlive: isProcessAlive });
}

/**
 * A look into the store at `path`, for a process that is none of its workers: undefined when no process uses it.
 *
 * The mapping is private: what a reader writes, pins above all, is seen by nobody else, so any number of observers
 * disturb no worker. In return no worker sees their pins, and what is shown may be overwritten while it is read: look
 * twice. A page that looking has written to no longer changes, so open the next look anew. Never store or purge through it.
 */
export function observeStore(path: string): Store | undefined {
  if (!existsSync(path) || statSync(path).size === 0) return undefined;
  try {
    const bytes = Bun.mmap(path, { shared: false });
    if (!pidsIn(openBlock(bytes)).some(isProcessAlive)) return undefined;
    return new Store(bytes, { worker: 0, pid: process.pid, isAlive: isProcessAlive });
  } catch {
    return undefined; // of another version, or somebody else's
  }
}

/** Writes the store at `path` to disk, so that it is believed after a reboot. Call it when nobody uses it any more. */
export function sealStore(path: string): void {
  const words = wordsOf(mapFile(path));
  syncFile(path);
  Atomics.store(words, HEADER.sealed, 1);
  syncFile(path);
}

/** Whether a process with this id runs. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, HEADER.sealed + 1);
}

/** Whether the file is a store of these sizes whose content can be believed. */
function isUsable(path: string, sizes: StoreSizes): boolean {
  if (!existsSync(path)) return false;
  if (!statSync(path).isFile()) throw new Error(`edge store: ${path} is not a file`);
  try {
    const block = openBlock(mapFile(path));
    const isBelieved = isOfThisBoot(block.words, HEADER.bootId) || block.words[HEADER.sealed] === 1;
    return sameSizes(block.layout.sizes, sizes) && isBelieved;
  } catch {
    // Of another version, or cut short: nobody who runs now can be using it, since it would have been refused too.
    return false;
  }
}

/** Notes that the store is in use in this boot, so that it is not believed after a crash of the machine. */
function markUsed(path: string): void {
  const words = wordsOf(mapFile(path));
  Atomics.store(words, HEADER.sealed, 0);
  for (const [at, word] of bootId().entries()) words[HEADER.bootId + at] = word;
  syncFile(path);
}
