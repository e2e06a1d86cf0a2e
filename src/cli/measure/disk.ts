/** How long a disk takes: 4 KiB written and synced, 4 KiB read from anywhere in a file. */
import { closeSync, fsyncSync, openSync, readSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { medianMs, scattered } from "./sampling.ts";

const PAGE_BYTES = 4096;
const CHUNK_BYTES = 1024 * 1024;
/** Small enough to be written in a moment, and so it is likely to be read from memory: a remark says so. */
const FILE_BYTES = 64 * CHUNK_BYTES;

/** Linux's name for a file system in memory (tmpfs). */
const TMPFS_MAGIC = 0x01_02_19_94;

/** 4 KiB appended to a file in `folder` and synced, ms. */
export function syncedWriteMs(momentMs: number, folder: string): number {
  const file = openSync(join(folder, "write"), "w");
  const page = new Uint8Array(PAGE_BYTES);
  try {
    return medianMs(momentMs, () => {
      writeSync(file, page);
      fsyncSync(file);
    });
  } finally {
    closeSync(file);
  }
}

/** 4 KiB read from anywhere in a file in `folder`, ms. */
export function randomReadMs(momentMs: number, folder: string): number {
  const path = join(folder, "read");
  writeFile(path);
  const file = openSync(path, "r");
  const page = new Uint8Array(PAGE_BYTES);
  const draw = scattered();
  try {
    return medianMs(
      momentMs,
      () => void readSync(file, page, 0, PAGE_BYTES, draw(FILE_BYTES / PAGE_BYTES) * PAGE_BYTES),
    );
  } finally {
    closeSync(file);
  }
}

/** Whether files in `folder` are only in memory, so that nothing there is a disk's time. */
export function isMemory(folder: string): boolean {
  return statfsSync(folder).type === TMPFS_MAGIC;
}

function writeFile(path: string): void {
  const file = openSync(path, "w");
  const chunk = new Uint8Array(CHUNK_BYTES);
  try {
    for (let done = 0; done < FILE_BYTES; done += chunk.length) writeSync(file, chunk);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
