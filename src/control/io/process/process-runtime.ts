/**
 * The process runtime: tasks as detached processes of this machine.
 *
 * Each leads its own session, writes to its own log, sits in its own control groups and outlives the controller. It
 * joins its groups before it becomes the command (a two-line shell does both), so nothing it forks can escape them.
 * The end of a child is told by the kernel at once; that of an adopted orphan is found by a poll.
 */
import { closeSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Cancel, Log, Random, Scheduler } from "../../../base/index.ts";
import { environmentOf, identify, isAlive, statFields } from "../../../base/io/index.ts";
import type { Exit, LaunchRequest, LaunchResult, ProcessRef, Runtime } from "../../runtime.ts";
import {
  cpuSecondsOf,
  type Hierarchy,
  killCgroups,
  makeCgroups,
  oomKills,
  removeCgroups,
} from "./cgroups.ts";
import { resolveCommand } from "./command.ts";
import { type OpenLog, openLog, tailOf } from "./log-file.ts";
import { findByNonce, isOurs, membersOf, NONCE_NAME } from "./members.ts";
import { PORTS, Ports } from "./ports.ts";

/** How often orphans are looked after: a dead one is found in half a second. */
const ORPHAN_POLL_MS = 500;

/** How often a stopping task is looked at until the last of its processes is gone. */
const LEAVING_POLL_MS = 50;

/** Clock ticks per second of /proc/PID/stat: 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** Name of a gateway worker's number in its environment. */
const WORKER_NAME = "TENFOLD_WORKER";

/** Joins the groups named by the first arguments, then becomes the command. */
const JOIN_AND_EXEC =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs"; shift; n=$((n-1)); done; exec "$@"';

/** What the runtime works with. */
export interface ProcessRuntimeOptions {
  /** Folder of the logs. */
  readonly logs: string;
  /** Name of this controller's groups below "tenfold/": differs between state directories. */
  readonly instance: string;
  /** Where control groups may be made; none = without. */
  readonly hierarchies: readonly Hierarchy[];
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
}

interface Watched {
  readonly process: ProcessRef;
  readonly onExit: (exit: Exit) => void;
  /** It was asked to end: what it leaves behind gets the grace, too. */
  terminated: boolean;
  /** Its leader is gone. */
  exit?: Exit;
}

/** Runs tasks as processes. One per controller. */
export class ProcessRuntime implements Runtime {
  readonly #options: ProcessRuntimeOptions;
  readonly #ports: Ports;
  /** By nonce. */
  readonly #watched = new Map<string, Watched>();
  readonly #orphans = new Set<string>();
  #cancelPoll: Cancel | undefined;
  #closed = false;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#ports = new Ports(options.random());
  }

  async launch(request: LaunchRequest, onExit: (exit: Exit) => void): Promise<LaunchResult> {
    const searchPath = request.env["PATH"] ?? process.env["PATH"] ?? "";
    const command = resolveCommand(request.command[0] ?? "", request.cwd, searchPath);
    if (command.kind === "failed") return command;
    const port = request.needsPort ? this.#ports.take() : undefined;
    if (request.needsPort && port === undefined) {
      const message = `all ports from ${PORTS.first} to ${PORTS.last} are in use: stop what holds them`;
      return { kind: "failed", reason: "no-free-port", message };
    }
    const result = this.#spawn(request, command.path, port, onExit);
    if (result.kind === "failed" && port !== undefined) this.#ports.release(port);
    return result;
  }

  #spawn(
    request: LaunchRequest,
    program: string,
    port: number | undefined,
    onExit: (exit: Exit) => void,
  ): LaunchResult {
    const log = this.#logOf(request);
    let output: OpenLog;
    try {
      output = openLog(log);
    } catch (problem) {
      const message = `the log ${log} cannot be written (${String(problem)}): free space, or mend its rights`;
      return { kind: "failed", reason: "log-not-writable", message };
    }
    const cgroups = this.#makeCgroups(request);
    try {
      const child = Bun.spawn(commandLine(request, program, cgroups), {
        cwd: request.cwd,
        env: environmentFor(request, port),
        stdio: ["ignore", output.file, output.file],
        detached: true,
        onExit: (_, code, signal) => this.#leaderGone(request.nonce, exitOf(code, signal)),
      });
      child.unref();
      return this.#launched(request, child.pid, {
        port,
        cgroups,
        log,
        logFromBytes: output.fromBytes,
        onExit,
      });
    } catch (problem) {
      removeCgroups(cgroups);
      const message = `${program} could not be started: ${problem instanceof Error ? problem.message : String(problem)}`;
      return { kind: "failed", reason: "spawn-failed", message };
    } finally {
      closeSync(output.file);
    }
  }

  #launched(
    request: LaunchRequest,
    pid: number,
    rest: Pick<ProcessRef, "cgroups" | "log"> & {
      readonly port: number | undefined;
      readonly logFromBytes: number;
      readonly onExit: (exit: Exit) => void;
    },
  ): LaunchResult {
    // A child that is gone already cannot be identified; its exit has yet to be told, and is all that matters then.
    const identity = identify(pid) ?? { pid, startTime: "gone", bootId: "gone" };
    const { port, cgroups, log, logFromBytes, onExit } = rest;
    const started: ProcessRef = {
      ...identity,
      nonce: request.nonce,
      cgroups,
      log,
      logFromBytes,
      ...(port === undefined ? {} : { port }),
      ...(request.worker === undefined ? {} : { worker: request.worker }),
    };
    this.#watched.set(request.nonce, { process: started, onExit, terminated: false });
    return { kind: "launched", process: started };
  }

  #logOf(request: LaunchRequest): string {
    return join(this.#options.logs, request.log);
  }

  #cgroupName(request: LaunchRequest): string {
    return join("tenfold", this.#options.instance, `${request.task.replace("/", "-")}-${request.nonce}`);
  }

  #makeCgroups(request: LaunchRequest): readonly string[] {
    const { log } = this.#options;
    const hierarchies = request.outlived === true ? [] : this.#options.hierarchies;
    const { folders, unenforced } = makeCgroups(hierarchies, this.#cgroupName(request), request.limits);
    if (unenforced.length > 0) log.warn("limits-not-enforced", { task: request.task, limits: unenforced });
    return folders;
  }

  find(request: LaunchRequest): ProcessRef | undefined {
    const pid = findByNonce(request.nonce);
    const identity = pid === undefined ? undefined : identify(pid);
    if (identity === undefined) return undefined;
    const numberIn = (name: string): number => Number(environmentOf(identity.pid, name) ?? Number.NaN);
    const [port, worker] = [numberIn("PORT"), numberIn(WORKER_NAME)];
    const folders = this.#options.hierarchies.map(({ root }) => join(root, this.#cgroupName(request)));
    const cgroups = folders.filter((folder) => existsSync(folder));
    const found = { ...identity, nonce: request.nonce, cgroups, log: this.#logOf(request) };
    return {
      ...found,
      ...(request.needsPort && Number.isInteger(port) ? { port } : {}),
      ...(request.worker !== undefined && Number.isInteger(worker) ? { worker } : {}),
    };
  }

  adopt(process: ProcessRef, onExit: (exit: Exit) => void): boolean {
    if (!isOurs(process)) {
      this.#sweep(process);
      removeCgroups(process.cgroups);
      return false;
    }
    if (process.port !== undefined) this.#ports.reserve(process.port);
    this.#watched.set(process.nonce, { process, onExit, terminated: false });
    this.#orphans.add(process.nonce);
    this.#cancelPoll ??= this.#pollOrphans();
    return true;
  }

  #pollOrphans(): Cancel {
    return this.#options.scheduler.after(ORPHAN_POLL_MS, () => {
      for (const nonce of this.#orphans) {
        const watched = this.#watched.get(nonce);
        if (watched === undefined || !isAlive(watched.process)) this.#leaderGone(nonce, { kind: "unknown" });
      }
      this.#cancelPoll = this.#orphans.size === 0 || this.#closed ? undefined : this.#pollOrphans();
    });
  }

  terminate(process: ProcessRef, signal: "SIGTERM" | "SIGHUP" = "SIGTERM"): void {
    const watched = this.#watched.get(process.nonce);
    if (watched !== undefined) watched.terminated = true;
    if (this.#isOurs(process)) trySignal(-process.pid, signal);
    if (this.#orphans.has(process.nonce)) this.#watchLeaving(process);
  }

  /** An orphan that was asked to end is looked at more often: somebody waits for it. */
  #watchLeaving(process: ProcessRef): void {
    this.#options.scheduler.after(LEAVING_POLL_MS, () => {
      if (this.#closed || !this.#orphans.has(process.nonce)) return;
      if (isAlive(process)) this.#watchLeaving(process);
      else this.#leaderGone(process.nonce, { kind: "unknown" });
    });
  }

  kill(process: ProcessRef): void {
    const watched = this.#watched.get(process.nonce);
    if (watched !== undefined) watched.terminated = false;
    if (this.#isOurs(process)) trySignal(-process.pid, "SIGKILL");
    this.#sweep(process);
  }

  /** A child's pid is its own until we have been told of its end; anybody else must prove itself. */
  #isOurs(process: ProcessRef): boolean {
    const watched = this.#watched.get(process.nonce);
    const isChild = watched?.process.pid === process.pid && !this.#orphans.has(process.nonce);
    return isChild ? watched.exit === undefined : isOurs(process);
  }

  /** SIGKILLs what is left of a task. Its groups are named by its nonce, so all in them is its own. */
  #sweep(process: ProcessRef): void {
    if (process.cgroups.length > 0) killCgroups(process.cgroups, (pid) => trySignal(pid, "SIGKILL"));
    else for (const pid of membersOf(process)) trySignal(pid, "SIGKILL");
  }

  #leaderGone(nonce: string, exit: Exit): void {
    this.#orphans.delete(nonce);
    const watched = this.#watched.get(nonce);
    if (watched === undefined || watched.exit !== undefined) return;
    watched.exit = exit;
    this.#waitForRest(watched, exit);
  }

  /** A task has ended when the last of its processes has: crashed leftovers are killed, asked ones have their grace. */
  #waitForRest(watched: Watched, exit: Exit): void {
    const { process } = watched;
    const left = membersOf(process);
    if (left.length > 0 && !watched.terminated) this.#sweep(process);
    const gone = left.length === 0;
    if (this.#closed || gone) return this.#ended(watched, exit);
    this.#options.scheduler.after(LEAVING_POLL_MS, () => this.#waitForRest(watched, exit));
  }

  #ended(watched: Watched, exit: Exit): void {
    const { process } = watched;
    this.#watched.delete(process.nonce);
    if (process.port !== undefined) this.#ports.release(process.port);
    const outOfMemory = oomKills(process.cgroups) > 0;
    removeCgroups(process.cgroups);
    if (!this.#closed) watched.onExit(outOfMemory ? { ...exit, outOfMemory } : exit);
  }

  cpuSeconds(process: ProcessRef): number | undefined {
    const accounted = cpuSecondsOf(process.cgroups);
    if (accounted !== undefined) return accounted;
    // utime, stime and those of children waited for: fields 14 to 17.
    const fields = statFields(process.pid)?.slice(14 - 3, 17 - 3 + 1);
    return fields?.reduce((sum, ticks) => sum + Number(ticks) / TICKS_PER_SECOND, 0);
  }

  logTail(process: ProcessRef, lines: number): readonly string[] {
    return tailOf(process.log, lines, process.logFromBytes);
  }

  close(): void {
    this.#closed = true;
    this.#cancelPoll?.();
    // Only empty folders can be removed: this is tidying after the last task, and nothing while one runs.
    removeCgroups(this.#options.hierarchies.map(({ root }) => join(root, "tenfold", this.#options.instance)));
  }
}

function commandLine(request: LaunchRequest, program: string, cgroups: readonly string[]): string[] {
  const command = [program, ...request.command.slice(1)];
  if (cgroups.length === 0) return command;
  return ["/bin/sh", "-c", JOIN_AND_EXEC, "sh", String(cgroups.length), ...cgroups, ...command];
}

function environmentFor(
  request: LaunchRequest,
  port: number | undefined,
): Record<string, string | undefined> {
  return {
    ...process.env,
    ...request.env,
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(request.worker === undefined ? {} : { [WORKER_NAME]: String(request.worker) }),
    TENFOLD_TASK: request.task,
    TENFOLD_SERVICE: request.service,
    [NONCE_NAME]: request.nonce,
  };
}

function exitOf(code: number | null, signal: number | string | null): Exit {
  if (signal !== null) return { kind: "signal", signal: signalName(signal) };
  return code === null ? { kind: "unknown" } : { kind: "code", code };
}

function signalName(signal: number | string): string {
  return typeof signal === "string" ? signal : `${signal}`;
}

function trySignal(pid: number, signal: "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}
