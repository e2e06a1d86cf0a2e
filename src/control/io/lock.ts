/**
 * The lock of a state directory: one controller at a time.
 *
 * The lock is a file that names its holder by pid, start time and boot id. It appears whole (a hard link to a finished
 * file) or not at all. A holder that no longer exists is taken over; a live one is never argued with.
 */
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity, readText } from "../../base/io/index.ts";

/** Whether the state directory is ours, and whose it is otherwise. */
export type LockResult =
  | {
      readonly kind: "held";
      /** Pid of a dead controller whose lock was taken over. */
      readonly tookOverFrom?: number;
      /** Gives the lock back. Harmless when called twice. */
      readonly release: () => void;
    }
  | { readonly kind: "refused"; readonly pid: number; readonly message: string };

/** Two take-overs can cross; each round one of them wins, so a handful of rounds is plenty. */
const ROUNDS_MAX = 10;

/** Takes the lock of `directory` for this process, creating the directory (0700) when it is not there. */
export function acquireLock(directory: string): LockResult {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "lock");
  const own = identify(process.pid);
  if (own === undefined) throw new Error(`this process (pid ${process.pid}) is not in the process table`);
  let tookOverFrom: number | undefined;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (place(path, own))
      return { kind: "held", ...withPid(tookOverFrom), release: () => release(path, own) };
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) return refusal(directory, holder.pid);
    if (holder !== undefined && removeStale(path, holder)) tookOverFrom = holder.pid;
  }
  throw new Error(`the lock ${path} cannot be taken: delete it if no \`tenfold up\` runs on ${directory}`);
}

function withPid(pid: number | undefined): { readonly tookOverFrom?: number } {
  return pid === undefined ? {} : { tookOverFrom: pid };
}

function refusal(directory: string, pid: number): LockResult {
  const message =
    `${directory} is in use by the controller with pid ${pid}: ` +
    "talk to it (`tenfold status`), stop it (`tenfold down`), or choose another directory (`--state DIR`)";
  return { kind: "refused", pid, message };
}

/** Puts the lock there unless one is there already. */
function place(path: string, own: ProcessIdentity): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (problem) {
    if (problem instanceof Error && "code" in problem && problem.code === "EEXIST") return false;
    throw problem;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead holder's lock aside; a live one that got in between is put back. */
function removeStale(path: string, stale: ProcessIdentity): boolean {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return false; // somebody else was faster
  }
  const moved = readHolder(aside);
  const wasStale = moved === undefined || JSON.stringify(moved) === JSON.stringify(stale);
  if (!wasStale) putBack(aside, path);
  rmSync(aside, { force: true });
  return wasStale;
}

function putBack(aside: string, path: string): void {
  try {
    linkSync(aside, path);
  } catch {
    // A third one holds the lock by now; the next round sees it.
  }
}

function release(path: string, own: ProcessIdentity): void {
  const holder = readHolder(path);
  if (holder !== undefined && JSON.stringify(holder) === JSON.stringify(own)) rmSync(path, { force: true });
}

/** A file that is no lock counts as one of a process that never was. */
function readHolder(path: string): ProcessIdentity | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    const { pid, startTime, bootId } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (typeof pid === "number" && typeof startTime === "string" && typeof bootId === "string") {
      return { pid, startTime, bootId };
    }
  } catch {
    // Falls through: unreadable is stale.
  }
  return { pid: 0, startTime: "", bootId: "" };
}
