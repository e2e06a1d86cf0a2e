/** The folder that is versioned, and the one that is written: bounded, without leaving either, each file atomically. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { formatBytes } from "../../base/index.ts";
import { writeFileAtomic } from "../../base/io/index.ts";
import { Failure } from "../failure.ts";

/** Files of one folder: what a large site has; more is a store of its own. */
const FILES_MAX = 10_000;

/** Of all files together: they are held in memory, so that what is hashed is what is written. */
const TOTAL_BYTES_MAX = 512 * 1024 * 1024;

/** Folders in folders: a deeper one is a mistake. */
const DEPTH_MAX = 64;

/** All files below a folder by their paths in it, without hidden ones. Throws `Failure` when it cannot be taken. */
export function readFolder(root: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const real = realOf(root, "is no folder that can be read");
  let total = 0;
  const visit = (folder: string, depth: number): void => {
    if (depth > DEPTH_MAX)
      throw new Failure(`${folder} lies ${depth} folders deep`, "see whether it is meant");
    for (const entry of entriesOf(join(root, folder))) {
      if (entry.name.startsWith(".")) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        visit(path, depth + 1);
        continue;
      }
      total += sizeOf(root, path, real);
      if (total > TOTAL_BYTES_MAX)
        throw new Failure(
          `${root} holds more than ${formatBytes(TOTAL_BYTES_MAX)}`,
          "leave out what is no asset",
        );
      if (files.size === FILES_MAX)
        throw new Failure(`${root} holds more than ${FILES_MAX} files`, "leave out what is no asset");
      files.set(path, contentOf(join(root, path)));
    }
  };
  visit("", 1);
  return files;
}

/** Whether `path` is `folder` or lies in it. */
export function liesIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Writes a file unless it is there with these bytes already; true when it did. */
export async function writeIfChanged(path: string, bytes: Uint8Array): Promise<boolean> {
  if (holds(path, bytes)) return false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    await writeFileAtomic(path, bytes);
  } catch (problem) {
    throw new Failure(
      `${path} cannot be written (${codeOf(problem)})`,
      "make room for it, or name another place",
    );
  }
  return true;
}

/** Writes a version: clients keep it for ever, so its name must not come to mean anything else. True when it is new. */
export async function writeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
  if (!existsSync(path) || holds(path, bytes)) return writeIfChanged(path, bytes);
  const mend = "delete it if somebody changed it, else change the file that it is a version of";
  throw new Failure(`${path} is there with another content`, mend);
}

/** Whether there is a file with exactly these bytes. */
function holds(path: string, bytes: Uint8Array): boolean {
  if (!existsSync(path)) return false;
  const stat = statSync(path);
  return stat.isFile() && stat.size === bytes.length && Buffer.from(bytes).equals(readFileSync(path));
}

function contentOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (problem) {
    throw new Failure(
      `${path} cannot be read (${codeOf(problem)})`,
      "let it be read, or take it out of there",
    );
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (problem) {
    throw new Failure(`${folder} cannot be read (${codeOf(problem)})`, "name a folder that can");
  }
}

/** Bytes of a file, or of the file in this folder that a link leads to. */
function sizeOf(root: string, path: string, real: string): number {
  const place = realOf(join(root, path), "leads nowhere");
  if (!liesIn(place, real))
    throw new Failure(`${path} is a link out of ${root}`, "put the file there itself");
  const stat = statSync(place);
  if (stat.isFile()) return stat.size;
  throw new Failure(
    `${path} is ${stat.isDirectory() ? "a link to a folder" : "no file"}`,
    "take it out of there",
  );
}

function realOf(path: string, what: string): string {
  try {
    return realpathSync(path);
  } catch (problem) {
    throw new Failure(`${path} ${what} (${codeOf(problem)})`, "see whether its name is right");
  }
}

function codeOf(problem: unknown): string {
  return problem instanceof Error && "code" in problem ? String(problem.code) : String(problem);
}
