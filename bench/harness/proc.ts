/**
 * What the kernel has charged to a process and everything it started: CPU time, resident memory, threads.
 *
 * A proxy may be one process (HAProxy), a parent with workers (nginx) or a launcher with a worker (ours), so every
 * figure is the sum over the tree. Source: proc(5), `/proc/PID/stat`, `/proc/PID/statm`.
 */
import { readdirSync, readFileSync } from "node:fs";

/** CPU time in milliseconds since each process of the tree began, all threads included. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** Kernel clock tick; 100 Hz on every Linux that we run on (`getconf CLK_TCK`). */
const TICK_MS = 10;

const PAGE_BYTES = 4096;

/** Often enough to see memory that lives for two collections of garbage. */
const SAMPLE_MS = 50;

/** The process and all its descendants, parents first. Those that have ended are left out. */
export function treeOf(pid: number): number[] {
  const pids = [pid];
  for (const parent of pids) pids.push(...childrenOf(parent));
  return pids;
}

/** CPU time of the whole tree, and of those members that have ended and were waited for. */
export function cpuOf(pid: number): CpuTime {
  let userMs = 0;
  let systemMs = 0;
  for (const member of treeOf(pid)) {
    const fields = statOf(member);
    userMs += (Number(fields[11] ?? 0) + Number(fields[13] ?? 0)) * TICK_MS;
    systemMs += (Number(fields[12] ?? 0) + Number(fields[14] ?? 0)) * TICK_MS;
  }
  return { userMs, systemMs };
}

/** Milliseconds that a core has been busy since boot, whoever used it. */
export function busyMsOf(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(read("/proc/stat"))?.[1] ?? "";
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(" ").map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

/** Resident bytes of the whole tree. Pages shared between members count once for each. */
export function residentBytesOf(pid: number): number {
  let pages = 0;
  for (const member of treeOf(pid)) pages += Number(read(`/proc/${member}/statm`).split(" ")[1] ?? 0);
  return pages * PAGE_BYTES;
}

/** How far the tree's resident set rises above its start while `work` runs. */
export async function peakGrowthOf(pid: number, work: () => Promise<void>): Promise<number> {
  const before = residentBytesOf(pid);
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentBytesOf(pid));
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(sampler);
  }
  return peak - before;
}

/** The member of the tree that has used most CPU: the one that does the work. */
export function busiestOf(pid: number): number {
  return treeOf(pid).reduce((best, member) => (ticksOf(member) > ticksOf(best) ? member : best), pid);
}

/** Open file descriptors of the whole tree. */
export function descriptorsOf(pid: number): number {
  let count = 0;
  for (const member of treeOf(pid)) count += entries(`/proc/${member}/fd`).length;
  return count;
}

function ticksOf(pid: number): number {
  const fields = statOf(pid);
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function childrenOf(pid: number): number[] {
  const pids: number[] = [];
  for (const thread of entries(`/proc/${pid}/task`)) {
    const text = read(`/proc/${pid}/task/${thread}/children`).trim();
    if (text) pids.push(...text.split(" ").map(Number));
  }
  return pids;
}

/** Fields of stat after the command name, which may itself hold spaces: index 0 is the state, 11 utime, 12 stime, 13 and 14 the same of children that were waited for. */
function statOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process has ended
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process has ended
  }
}
