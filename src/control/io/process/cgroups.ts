/**
 * Control groups: limits for a task, and a way to end all that it started.
 *
 * Linux offers version 1 (one hierarchy per controller), version 2 (one for all), or both at once. They differ in file
 * names only, so the layout is a list of hierarchies and the limits are rows. A hierarchy that is not writable is left
 * out; without any, tasks run unlimited and are ended through their process group. See cgroups(7).
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readText } from "../../../base/io/index.ts";
import type { TaskLimitsConfig } from "../../../config/index.ts";

/** One mounted hierarchy that is of use here. */
export interface Hierarchy {
  readonly root: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** Version 1 hierarchies that are joined: limits, accounting, and freezing for an orderly kill. */
const V1_CONTROLLERS = ["cpu", "cpuacct", "memory", "pids", "freezer"];

/** Controllers that version 2 groups must be given by their parents. */
const V2_ENABLE = ["cpu", "memory", "pids"];

/** Length of one accounting period; the quota is a share of it. The kernel's own default. */
const CPU_PERIOD_US = 100_000;

/** Reads the hierarchies from the text of /proc/self/mounts. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, root = "", type, options = ""] = line.split(" ");
    if (type === "cgroup2") return [{ root, version: 2, controllers: v2Controllers(root) }];
    if (type !== "cgroup") return [];
    const controllers = options.split(",").filter((option) => V1_CONTROLLERS.includes(option));
    return controllers.length === 0 ? [] : [{ root, version: 1, controllers }];
  });
}

/** The hierarchies of this machine; none where there is no /proc. */
export function detectHierarchies(): Hierarchy[] {
  return parseHierarchies(readText("/proc/self/mounts") ?? "");
}

function v2Controllers(root: string): string[] {
  const names = (readText(join(root, "cgroup.controllers")) ?? "").trim().split(" ");
  return names.filter((name) => V2_ENABLE.includes(name));
}

interface Row {
  readonly limit: keyof TaskLimitsConfig;
  readonly controller: string;
  readonly version: 1 | 2;
  /** Files and what is written to them, in order. */
  readonly writes: (value: number) => readonly (readonly [file: string, text: string])[];
}

/** How each limit is written in each version. */
const LIMITS: readonly Row[] = [
  {
    limit: "cpu",
    controller: "cpu",
    version: 1,
    writes: (cores) => [
      ["cpu.cfs_period_us", String(CPU_PERIOD_US)],
      ["cpu.cfs_quota_us", String(Math.round(cores * CPU_PERIOD_US))],
    ],
  },
  {
    limit: "cpu",
    controller: "cpu",
    version: 2,
    writes: (cores) => [["cpu.max", `${Math.round(cores * CPU_PERIOD_US)} ${CPU_PERIOD_US}`]],
  },
  {
    limit: "memoryBytes",
    controller: "memory",
    version: 1,
    writes: (bytes) => [["memory.limit_in_bytes", String(bytes)]],
  },
  {
    limit: "memoryBytes",
    controller: "memory",
    version: 2,
    writes: (bytes) => [["memory.max", String(bytes)]],
  },
  { limit: "pidsMax", controller: "pids", version: 1, writes: (count) => [["pids.max", String(count)]] },
  { limit: "pidsMax", controller: "pids", version: 2, writes: (count) => [["pids.max", String(count)]] },
];

export interface MadeCgroups {
  /** One folder per hierarchy. */
  readonly folders: readonly string[];
  /** Limits that were asked for and could not be set. */
  readonly unenforced: readonly string[];
}

/** Makes the groups of one task, with its limits. `name` is a relative path, e.g. "tenfold/1f2e/web-3-9c1d". */
export function makeCgroups(
  hierarchies: readonly Hierarchy[],
  name: string,
  limits: TaskLimitsConfig,
): MadeCgroups {
  const made = hierarchies.filter((hierarchy) => makeFolder(hierarchy, name));
  const asked = (Object.keys(limits) as (keyof TaskLimitsConfig)[]).filter(
    (key) => limits[key] !== undefined,
  );
  const unenforced = asked.filter(
    (limit) => !made.some((hierarchy) => setLimit(hierarchy, name, limit, limits)),
  );
  return { folders: made.map(({ root }) => join(root, name)), unenforced };
}

function makeFolder(hierarchy: Hierarchy, name: string): boolean {
  const folder = join(hierarchy.root, name);
  try {
    mkdirSync(folder, { recursive: true });
    if (hierarchy.version === 2) enableControllers(hierarchy, folder);
    return existsSync(join(folder, "cgroup.procs"));
  } catch {
    return false; // read-only, or not ours: the task goes without
  }
}

/** Hands the controllers down from the root to the folder's parent, as far as that is allowed. */
function enableControllers(hierarchy: Hierarchy, folder: string): void {
  const parents: string[] = [];
  for (let at = dirname(folder); at.startsWith(hierarchy.root); at = dirname(at)) parents.unshift(at);
  for (const parent of parents) {
    for (const controller of hierarchy.controllers)
      tryWrite(join(parent, "cgroup.subtree_control"), `+${controller}`);
  }
}

function setLimit(
  hierarchy: Hierarchy,
  name: string,
  limit: keyof TaskLimitsConfig,
  limits: TaskLimitsConfig,
): boolean {
  const value = limits[limit];
  const row = LIMITS.find(
    (candidate) =>
      candidate.limit === limit &&
      candidate.version === hierarchy.version &&
      hierarchy.controllers.includes(candidate.controller),
  );
  if (row === undefined || value === undefined) return false;
  return row.writes(value).every(([file, text]) => tryWrite(join(hierarchy.root, name, file), text));
}

/** Pids in any of the groups. */
export function pidsIn(folders: readonly string[]): number[] {
  const texts = folders.map((folder) => readText(join(folder, "cgroup.procs")) ?? "");
  const pids = texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
  return [...new Set(pids.map(Number))];
}

/** Rounds of reading and killing a group that cannot be frozen: each catches what was forked during the last one. */
const KILL_ROUNDS_MAX = 10;

/** SIGKILLs everything in the groups: at once where the kernel does it, frozen where it can be, else in rounds. */
export function killCgroups(folders: readonly string[], kill: (pid: number) => void): void {
  for (const folder of folders) tryWrite(join(folder, "cgroup.kill"), "1");
  // A process that is just joining its groups may be in some of them only: look through all, killed at once or not.
  const freezer = folders.find((folder) => existsSync(join(folder, "freezer.state")));
  if (freezer !== undefined) tryWrite(join(freezer, "freezer.state"), "FROZEN");
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const pids = pidsIn(folders);
    if (pids.length === 0) break;
    for (const pid of pids) kill(pid);
    if (freezer !== undefined) break;
  }
  if (freezer !== undefined) tryWrite(join(freezer, "freezer.state"), "THAWED");
}

/** CPU seconds used by all that ever ran in the groups; undefined when no group accounts for it. */
export function cpuSecondsOf(folders: readonly string[]): number | undefined {
  for (const folder of folders) {
    const nanoseconds = readText(join(folder, "cpuacct.usage"));
    if (nanoseconds !== undefined) return Number(nanoseconds) / 1e9;
    const microseconds = /^usage_usec (\d+)$/m.exec(readText(join(folder, "cpu.stat")) ?? "")?.[1];
    if (microseconds !== undefined) return Number(microseconds) / 1e6;
  }
  return undefined;
}

/** How often the kernel killed something in the groups for want of memory. */
export function oomKills(folders: readonly string[]): number {
  const texts = folders.flatMap((folder) => [
    readText(join(folder, "memory.oom_control")) ?? "",
    readText(join(folder, "memory.events")) ?? "",
  ]);
  return texts.reduce((sum, text) => sum + Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0), 0);
}

/** Removes empty groups; true when none is left. */
export function removeCgroups(folders: readonly string[]): boolean {
  return folders.map((folder) => tryRemove(folder)).every(Boolean);
}

function tryRemove(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Files of a control group exist before they are written; opening one that does not must not create it. */
function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}
