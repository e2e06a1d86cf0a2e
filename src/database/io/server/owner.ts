/**
 * Whose processes and files Postgres' are. Postgres refuses to run as root, for who breaks into it would have the machine; so
 * root gives it another user, and everybody else is that user themselves.
 */
import { readlinkSync } from "node:fs";
import { chmod, chown, lchown, mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isSystemError, ServerError } from "./problem.ts";

/** A user and its group; undefined = ours, nothing is to be changed. */
export type Owner = { readonly uid: number; readonly gid: number } | undefined;

/** Users that root gives servers to, the first that exists: Debian's, Red Hat's, Alpine's; nobody has nothing to lose. */
const CANDIDATES: readonly string[] = ["postgres", "nobody"];

/** Not to be read by others: tables hold what users wrote. */
const PRIVATE_FOLDER = 0o700;

/**
 * The owner for this process: itself unless it is root. `user` names one; throws `owner-missing` when there is none of that
 * name, or when somebody who is not root asks for another than themselves.
 */
export async function findOwner(user?: string): Promise<Owner> {
  const own = process.getuid?.();
  const accounts = parseAccounts(await readFile("/etc/passwd", "utf8").catch(() => ""));
  const named = user === undefined ? undefined : accounts.get(user);
  if (user !== undefined && named === undefined)
    throw new ServerError(
      "owner-missing",
      `there is no user "${user}": make one (useradd --system ${user}), or leave user out`,
    );
  if (own !== 0) {
    if (named === undefined || named.uid === own) return undefined;
    throw new ServerError(
      "owner-missing",
      `only root can run Postgres as "${user}": leave user out, or start as root`,
    );
  }
  const found =
    named ?? CANDIDATES.map((name) => accounts.get(name)).find((account) => account !== undefined);
  if (found !== undefined && found.uid !== 0) return found;
  throw new ServerError(
    "owner-missing",
    "Postgres does not run as root: make a user (useradd --system postgres), or name one",
  );
}

function parseAccounts(passwd: string): Map<string, { uid: number; gid: number }> {
  const rows = passwd.split("\n").map((line) => line.split(":"));
  return new Map(rows.map(([name = "", , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]));
}

/** Gives a path to the owner. */
export async function give(path: string, owner: Owner): Promise<void> {
  if (owner !== undefined) await lchown(path, owner.uid, owner.gid);
}

/** Makes a folder that only the owner may enter; one that is there is taken over. */
export async function makePrivateFolder(path: string, owner: Owner): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER });
  await chmod(path, PRIVATE_FOLDER);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

let temporaries = 0;

/**
 * What a killed process leaves must not fail every copy of the data directory from then on, as one file does that the server may not read:
 * ours and pg_basebackup's leave such names out (PG_TEMP_FILE_PREFIX).
 */
function temporaryOf(path: string): string {
  return join(dirname(path), `pgsql_tmp.${basename(path)}.${process.pid}-${temporaries++}`);
}

/** Replaces a file whole and durably, as `writeFileAtomic`, and gives it to the owner before it gets its name. */
export async function writeOwned(path: string, text: string, owner: Owner, mode = 0o600): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    await writeDurably(temporary, text, owner, mode);
    await rename(temporary, path);
  } catch (problem) {
    await unlink(temporary).catch(() => {});
    throw problem;
  }
  await syncPath(dirname(path));
}

async function writeDurably(path: string, text: string, owner: Owner, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes what a file or the names in a folder are to the disk. */
export async function syncPath(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Throws `folder-not-reachable` unless the owner can get to `path`: each folder above must let others through. */
export async function ensureReachable(path: string, owner: Owner): Promise<void> {
  if (owner === undefined) return;
  for (let folder = dirname(path); folder !== "/" && folder !== "."; folder = dirname(folder)) {
    if (await mayPass(folder, owner)) continue;
    const message = `the user of Postgres (uid ${owner.uid}) cannot get to ${path}: ${folder} lets nobody through; chmod o+x it, or choose another place`;
    throw new ServerError("folder-not-reachable", message);
  }
}

async function mayPass(
  folder: string,
  owner: { readonly uid: number; readonly gid: number },
): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  if (uid === owner.uid) return (mode & 0o100) !== 0;
  return (mode & (gid === owner.gid ? 0o010 : 0o001)) !== 0;
}

/** Where a link points to; undefined when `path` is none. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (problem) {
    if (isSystemError(problem, "EINVAL") || isSystemError(problem, "ENOENT")) return undefined;
    throw problem;
  }
}

/** The names in a folder; none when it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (problem) {
    if (isSystemError(problem, "ENOENT")) return [];
    throw problem;
  }
}
