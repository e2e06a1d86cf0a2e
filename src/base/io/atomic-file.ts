/**
 * Replacing a file whole: a reader, or the next start after a power cut, sees the old bytes or the new, never a mix.
 *
 * Write a temporary file in the same folder (a rename is atomic only within one file system), fsync it (else the name
 * may reach the disk before the bytes), rename it over the old one, fsync the folder (else the rename may be lost).
 */
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Readable by all, as configuration is; secrets pass 0o600. */
const MODE = 0o644;

let temporaries = 0;

/**
 * Replaces `path` with `data`, durably: when the promise resolves, the bytes outlive a power cut. The file gets `mode`
 * whatever it had before. The folder must exist.
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
  await using(await open(path, "wx", mode), async (file) => {
    await file.writeFile(data);
    await file.sync();
  });
}

async function syncFolder(path: string): Promise<void> {
  await using(await open(path, "r"), (folder) => folder.sync());
}

async function using(file: FileHandle, run: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await run(file);
  } finally {
    await file.close();
  }
}
