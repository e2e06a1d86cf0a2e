/**
 * Which process a pid means. A pid alone is reused; a pid with its start time and the machine's boot id is one process
 * for ever. Nothing here signals anything.
 *
 * Linux reads /proc (start time is field 22 of stat, see proc(5)); elsewhere `ps` and `sysctl` are asked.
 */
import { readFileSync } from "node:fs";

/** A process that existed. All three together are unique. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot on Linux, a date elsewhere: compared, never read. */
  readonly startTime: string;
  readonly bootId: string;
}

const IS_LINUX = process.platform === "linux";

/** The boot does not change while this process lives. */
let knownBootId: string | undefined;

/** The identity of the live process `pid`; undefined when there is none or it is a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = IS_LINUX ? linuxStartTime(pid) : psField(pid, "lstart");
  return startTime === undefined ? undefined : { pid, startTime, bootId: bootId() };
}

/** Whether the very process of `identity` is alive. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

/** One variable of a process's environment as it was at exec; undefined when unset or not readable. */
export function environmentOf(pid: number, name: string): string | undefined {
  const text = IS_LINUX ? readText(`/proc/${pid}/environ`) : psField(pid, "command", "-E");
  const pair = text?.split(IS_LINUX ? "\0" : " ").find((entry) => entry.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

/** Fields of /proc/PID/stat after the command, which may hold spaces and brackets: field 3 (state) is at 0. */
export function statFields(pid: number): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Text of a file, undefined when it cannot be read: in /proc and in cgroups that means "gone". */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** stat field 22, counted from field 3. */
const START_TIME = 22 - 3;

function linuxStartTime(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[START_TIME];
}

function bootId(): string {
  knownBootId ??= IS_LINUX
    ? (readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "unknown")
    : output(["sysctl", "-n", "kern.boottime"]);
  return knownBootId;
}

function psField(pid: number, field: string, ...flags: string[]): string | undefined {
  return output(["ps", ...flags, "-p", String(pid), "-o", `${field}=`]) || undefined;
}

function output(command: string[]): string {
  const { stdout } = Bun.spawnSync(command, { stderr: "ignore" });
  return stdout.toString().trim();
}
