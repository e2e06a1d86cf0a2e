/** Names of a store's files, and how they are written. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What a store holds may be secret: for its owner alone. */
export const FILE_MODE = 0o600;

/** The request that ends a snapshot, with the number of keys. */
export const SNAPSHOT_END = "SNAPSHOT-END";

/** Where the snapshot of a generation is. */
export function snapshotPath(folder: string, generation: number): string {
  return join(folder, `snapshot-${generation}`);
}

/** Where the log of a generation is. */
export function logPath(folder: string, generation: number): string {
  return join(folder, `log-${generation}`);
}

/** Makes names in a folder as durable as the files. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes all of it: one call may take less than it was given. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
}
