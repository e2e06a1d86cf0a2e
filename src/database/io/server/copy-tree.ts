/**
 * Copies a data directory that may change meanwhile: files vanish, grow and shrink under a copy, and that is no error, for the
 * log written during the copy is replayed over it. All bytes and names are on the disk before it is done.
 */
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { chown, type FileHandle, lstat, mkdir, open, readdir, statfs } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { formatBytes } from "../../../base/index.ts";
import { EMPTIED_FOLDERS, isCopied, LAST_FILE } from "../../copied-files.ts";
import type { Progress } from "../../orders.ts";
import { type Owner, syncPath } from "./owner.ts";
import { isSystemError, ServerError } from "./problem.ts";

/** How a copy is made. */
export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly owner: Owner;
  /** Which files, by their paths in the data directory; default: what a copy of a running server takes. */
  readonly takes?: (path: string) => boolean;
  /** Ends the copy; what was copied is left for the caller to remove. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Whether the checksum of each file is wanted. */
  readonly checksums: boolean;
  /** false leaves out the syncs; for tests. */
  readonly durable: boolean;
}

/** One copied file. */
export interface CopiedFile {
  /** Relative to the data directory. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 in hex; "" when not asked for. */
  readonly sha256: string;
}

/** Read and written at a time. */
const CHUNK_BYTES = 1024 * 1024;

/** Files under way at once: enough to keep a disk busy, few enough to leave the server its share. */
const PARALLEL = 4;

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Copies all that `isCopied` names. Throws `clone-aborted`, `tablespaces`, `disk-full`, or the system's error. */
export async function copyTree(options: CopyOptions): Promise<CopiedFile[]> {
  const { from, to, owner } = options;
  await makeFolder(to, owner);
  const { files, folders } = await listTree(from, options.takes ?? isCopied);
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  await ensureRoom(to, totalBytes);
  for (const folder of folders) await makeFolder(join(to, folder), owner);
  let copiedBytes = 0;
  const step = (bytes: number): void => {
    copiedBytes += bytes;
    options.onProgress?.({ copiedBytes, totalBytes: Math.max(totalBytes, copiedBytes) });
  };
  const paths = files.map(({ path }) => path).filter((path) => path !== LAST_FILE);
  const copied: CopiedFile[] = [];
  const copyNext = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const file = await copyFile(path, options, step);
      if (file !== undefined) copied.push(file);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, copyNext));
  const last = await copyFile(LAST_FILE, options, step);
  if (last !== undefined) copied.push(last);
  if (options.durable) for (const folder of ["", ...folders]) await syncPath(join(to, folder));
  return copied.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function makeFolder(path: string, owner: Owner): Promise<void> {
  await mkdir(path, { mode: FOLDER_MODE });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

interface Tree {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly folders: readonly string[];
}

async function listTree(root: string, takes: (path: string) => boolean): Promise<Tree> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => ({ entry, path: pathOf(root, entry) }));
  const link = paths.find(({ entry, path }) => entry.isSymbolicLink() && path.startsWith("pg_tblspc/"));
  if (link !== undefined)
    throw new ServerError(
      "tablespaces",
      `${root} has a tablespace (${link.path}): copies of such clusters are not supported`,
    );
  const inEmptied = (path: string): boolean => EMPTIED_FOLDERS.includes(path.split("/", 1)[0] ?? "");
  const folders = paths.filter(
    ({ entry, path }) => entry.isDirectory() && (!inEmptied(path) || EMPTIED_FOLDERS.includes(path)),
  );
  const files = paths.filter(({ entry, path }) => entry.isFile() && takes(path));
  const sized = await Promise.all(
    files.map(async ({ path }) => ({ path, bytes: await sizeOf(join(root, path)) })),
  );
  return { files: sized, folders: folders.map(({ path }) => path).toSorted() };
}

function pathOf(root: string, entry: Dirent): string {
  return relative(root, join(entry.parentPath, entry.name));
}

/** 0 for a file that vanished since the folder was read. */
async function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** undefined when the file has vanished: its table was dropped, and the log says so. */
async function copyFile(
  path: string,
  options: CopyOptions,
  step: (bytes: number) => void,
): Promise<CopiedFile | undefined> {
  let source: FileHandle;
  try {
    source = await open(join(options.from, path), "r");
  } catch (problem) {
    if (isSystemError(problem, "ENOENT")) return undefined;
    throw problem;
  }
  try {
    const target = await open(join(options.to, path), "wx", FILE_MODE);
    try {
      if (options.owner !== undefined) await target.chown(options.owner.uid, options.owner.gid);
      const { bytes, sha256 } = await pour(source, target, options, step);
      if (options.durable) await target.sync();
      return { path, bytes, sha256 };
    } catch (problem) {
      if (isSystemError(problem, "ENOSPC")) throw diskFull(options.to, `${path} found no room`);
      throw problem;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function pour(
  source: FileHandle,
  target: FileHandle,
  options: CopyOptions,
  step: (bytes: number) => void,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = options.checksums ? createHash("sha256") : undefined;
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let bytes = 0; ; ) {
    if (options.signal?.aborted === true)
      throw new ServerError("clone-aborted", `the copy to ${options.to} was ended`);
    const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash?.digest("hex") ?? "" };
    const part = chunk.subarray(0, bytesRead);
    hash?.update(part);
    await target.writeFile(part);
    bytes += bytesRead;
    step(bytesRead);
  }
}

/** Throws `disk-full` when the disk of `folder` has not so many bytes free; what fills it later is noticed then. */
export async function ensureRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes)
    throw diskFull(folder, `${formatBytes(bytes)} are needed, ${formatBytes(bavail * bsize)} are free`);
}

function diskFull(folder: string, why: string): ServerError {
  return new ServerError("disk-full", `the disk of ${folder} is too small (ENOSPC): ${why}`);
}

/** The folder that holds a path, synced: its name is on the disk then. */
export async function syncName(path: string): Promise<void> {
  await syncPath(dirname(path));
}
