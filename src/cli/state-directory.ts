/**
 * Finding the state directory of the controller that a command is about: the one that is named, or the nearest
 * `.tenfold` here or above, as git finds its own. What `tenfold run` started lies in a folder of its own below it.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ControllerFile } from "../app/index.ts";
import { identify } from "../base/io/index.ts";
import { Failure } from "./failure.ts";

/** Name of the folder, beside the config. */
export const STATE_FOLDER = ".tenfold";

/** Prefix of the folders that `tenfold run` keeps inside `STATE_FOLDER`, one for each name. */
export const RUN_PREFIX = "run-";

/** A controller writes this when it starts. It stays behind when the controller is killed, and goes with `down`. */
const CONTROLLER_FILE = "controller.json";

/** What the controller decided; it always stays behind. */
const JOURNAL = "journal";

/** The state directory meant by `--state DIR`, or the nearest one. Throws `Failure` when there is none. */
export function findStateDirectory(cwd: string, named: string | undefined): string {
  if (named !== undefined) return existing(resolve(cwd, named));
  for (let folder = cwd; ; folder = dirname(folder)) {
    const [found] = statesIn(folder);
    if (found !== undefined) return found;
    if (folder === dirname(folder)) break;
  }
  throw new Failure(
    `there is no ${STATE_FOLDER} folder in ${cwd} or above`,
    "start with `tenfold up` or `tenfold run`, go to the folder of the config, or name it with --state DIR",
  );
}

/** What the controller wrote of itself; undefined when none was ever started there, or its file is damaged. */
export function readControllerFile(stateDirectory: string): ControllerFile | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDirectory, CONTROLLER_FILE), "utf8")) as ControllerFile;
  } catch {
    return undefined;
  }
}

/** The admin API's secret; undefined when there is none yet, or it is not ours to read. */
export function readToken(stateDirectory: string): string | undefined {
  try {
    return readFileSync(join(stateDirectory, "admin.token"), "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Whether a controller ever worked there, so that something of it may still run. */
export function wasUsed(stateDirectory: string): boolean {
  return isThere(join(stateDirectory, JOURNAL)) || isThere(join(stateDirectory, CONTROLLER_FILE));
}

/** State directories of a folder, the likeliest first: of a live controller, of `up`, of the `run` used last. */
function statesIn(folder: string): string[] {
  const root = join(folder, STATE_FOLDER);
  if (!isThere(root)) return [];
  const runs = readdirSync(root)
    .filter((name) => name.startsWith(RUN_PREFIX))
    .map((name) => join(root, name))
    .toSorted((a, b) => usedMs(b) - usedMs(a));
  const used = [root, ...runs].filter(wasUsed);
  return used.toSorted((a, b) => Number(isLive(b)) - Number(isLive(a)));
}

function isLive(stateDirectory: string): boolean {
  const pid = readControllerFile(stateDirectory)?.pid;
  return pid !== undefined && identify(pid) !== undefined;
}

function usedMs(stateDirectory: string): number {
  const changedMs = (name: string): number =>
    statSync(join(stateDirectory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return Math.max(changedMs(CONTROLLER_FILE), changedMs(JOURNAL));
}

function existing(directory: string): string {
  if (isThere(directory)) return directory;
  throw new Failure(`the state directory ${directory} does not exist`, "check --state DIR");
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
