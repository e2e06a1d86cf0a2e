/**
 * Replacing a file whole: a reader, or the next start after a power cut, sees the old bytes or the new, never a mix.
 *
 * Write a temporary file in the same folder (a rename is atomic only within one file system), fsync it (else the name
 * may reach the disk before the bytes), rename it over the old one, fsync the folder (else the rename may be lost).
 */
import { type FileHandle, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../clock.ts";

/** Readable by all, as configuration is; secrets pass 0o600. */
const MODE = 0o644;

/** What this module calls its temporary files: ".name.pid-number.tmp". */
const TEMPORARY = /^\..+\.\d+-\d+\.tmp$/;

/** A writer needs milliseconds; a temporary file as old as this belongs to one that was killed. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

let temporaries = 0;
const sweptFolders = new Set<string>();

/**
 * Replaces `path` with `data`, durably: when the promise resolves, the bytes outlive a power cut. The file gets `mode`
 * (less the umask), whatever it had before. The folder must exist.
 *
 * Rejects with the system's error (ENOSPC, EACCES, ENOENT …) and then leaves `path` as it was, without a temporary
 * file beside it. Of several writers at once the last rename wins.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  mode: number = MODE,
): Promise<void> {
  const folder = dirname(path);
  await sweepOnce(folder);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${temporaries++}.tmp`);
  try {
    await writeDurably(temporary, data, mode);
    await rename(temporary, path);
  } catch (problem) {
    await unlink(temporary).catch(() => {});
    throw problem;
  }
  await syncFolder(folder);
}

async function writeDurably(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await withFile(await open(path, "wx", mode), async (file) => {
    await file.writeFile(data);
    await file.sync();
  });
}

async function syncFolder(path: string): Promise<void> {
  await withFile(await open(path, "r"), (folder) => folder.sync());
}

async function withFile(file: FileHandle, run: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await run(file);
  } finally {
    await file.close();
  }
}

/** Removes what killed writers left, at this process's first write to the folder, so that it cannot pile up. */
async function sweepOnce(folder: string): Promise<void> {
  if (sweptFolders.has(folder)) return;
  sweptFolders.add(folder);
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.filter((name) => TEMPORARY.test(name)).map((name) => sweep(join(folder, name))));
}

/** A file that cannot be removed, or that another process removed first, is no reason not to write. */
async function sweep(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (systemClock.wallMs() - mtimeMs > ABANDONED_AFTER_MS) await unlink(path);
  } catch {}
}
