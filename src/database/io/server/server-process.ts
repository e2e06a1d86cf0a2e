/**
 * The first process of a Postgres server: started detached, so that it outlives its agent; found again by pid and start time;
 * its end is noticed at once.
 *
 * Postgres without its first process is no server, but its other processes may still finish what they do: "ended" here means
 * all of them. They are those that run `postgres` in the data directory.
 */
import { spawn } from "node:child_process";
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { Cancel, Clock, Scheduler } from "../../../base/index.ts";
import { identify, isAlive, type ProcessIdentity, statFields } from "../../../base/io/index.ts";
import type { Binaries } from "./binaries.ts";
import type { Owner } from "./owner.ts";
import { ServerError } from "./problem.ts";
import { environmentOfPostgres } from "./program.ts";

/** A server that is not our child is looked at this often: one small read of /proc. */
const ORPHAN_POLL_MS = 20;

/** How often a starting or ending server is looked at. */
const WAIT_POLL_MS = 5;

/** The log is set aside at a start when it is larger. */
const LOG_ROTATE_BYTES = 64 * 1024 * 1024;

const LOG_MODE = 0o640;

/** Where it runs and how it is watched. */
export interface WatchedServer {
  readonly data: string;
  /** Its output is appended here. */
  readonly log: string;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** What is started. */
export interface ServerProcessOptions extends WatchedServer {
  readonly binaries: Binaries;
  readonly owner: Owner;
}

/** How the first process ended; unknown when it was not our child. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The signals of an end: "fast" ends transactions, "immediate" leaves recovery to the next start. */
const STOP_SIGNALS = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** One run of a server. */
export class ServerProcess {
  readonly identity: ProcessIdentity;
  /** Settles when all processes of the server are gone. */
  readonly ended: Promise<ServerExit>;
  readonly #options: WatchedServer;
  readonly #logFrom: number;
  #exit: ServerExit | undefined;

  private constructor(
    options: WatchedServer,
    identity: ProcessIdentity,
    exited: Promise<ServerExit>,
    logFrom: number,
  ) {
    this.#options = options;
    this.identity = identity;
    this.#logFrom = logFrom;
    this.ended = exited.then(async (exit) => {
      this.#exit = exit;
      await killLeftovers(options);
      return exit;
    });
  }

  /** Starts it; does not wait until it serves. */
  static start(options: ServerProcessOptions): ServerProcess {
    const { binaries, data, log, owner } = options;
    const file = openLog(log);
    const logFrom = fstatSync(file).size;
    try {
      const child = spawn(join(binaries.bin, "postgres"), ["-D", data], {
        ...owner,
        cwd: data,
        detached: true,
        env: environmentOfPostgres(binaries),
        stdio: ["ignore", file, file],
      });
      child.unref();
      const exited = new Promise<ServerExit>((resolve, reject) => {
        child.once("exit", (code, signal) => resolve({ code, signal }));
        child.once("error", reject);
      });
      // One that is gone already cannot be identified; its exit is all that matters then.
      const identity = identify(child.pid ?? 0) ?? { pid: child.pid ?? 0, startTime: "gone", bootId: "gone" };
      return new ServerProcess(options, identity, exited, logFrom);
    } finally {
      closeSync(file);
    }
  }

  /** The server that runs in the data directory already; undefined when there is none. */
  static adopt(options: WatchedServer): ServerProcess | undefined {
    const pid = readLock(options.data)?.pid;
    const identity = pid === undefined ? undefined : identify(pid);
    if (identity === undefined || !worksIn(identity.pid, options.data)) return undefined;
    const { promise, resolve } = Promise.withResolvers<ServerExit>();
    const look = (): void => {
      if (isAlive(identity)) watch();
      else resolve({ code: null, signal: null });
    };
    const watch = (): Cancel => options.scheduler.after(ORPHAN_POLL_MS, look);
    watch();
    const logFrom = statSync(options.log, { throwIfNoEntry: false })?.size ?? 0;
    return new ServerProcess(options, identity, promise, logFrom);
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Waits until it answers queries; throws why it does not. */
  async ready(timeoutMs: number): Promise<void> {
    const { clock, data } = this.#options;
    const deadline = clock.nowMs() + timeoutMs;
    for (;;) {
      const lock = readLock(data);
      if (lock?.pid === this.identity.pid && lock.status === "ready") return;
      if (this.#exit !== undefined) throw startProblem(this.lastLines());
      if (clock.nowMs() > deadline) {
        const message = `${data} does not answer after ${timeoutMs} ms: it may still recover; see ${this.#options.log}`;
        throw new ServerError("start-timeout", message);
      }
      await pause(this.#options.scheduler, WAIT_POLL_MS);
    }
  }

  /** Asks it to end, and waits; throws `stop-timeout` when it has not. */
  async stop(mode: keyof typeof STOP_SIGNALS, timeoutMs: number): Promise<void> {
    this.#signal(STOP_SIGNALS[mode]);
    if (await this.#endsWithin(timeoutMs)) return;
    throw new ServerError(
      "stop-timeout",
      `${this.#options.data} has not ended after ${timeoutMs} ms: stop it "immediate"`,
    );
  }

  /** Ends it and all its processes now, whatever they do; waits until they are gone. Recovery is for the next start. */
  async kill(graceMs: number, timeoutMs: number): Promise<void> {
    this.#signal("SIGQUIT"); // its clients learn that it ends
    if (graceMs > 0 && (await this.#endsWithin(graceMs))) return;
    this.#signal("SIGSTOP"); // it starts no more processes
    for (const pid of pidsOf(this.#options.data, this.identity.pid)) send(pid, "SIGKILL");
    this.#signal("SIGKILL");
    if (await this.#endsWithin(timeoutMs)) return;
    throw new ServerError(
      "stop-timeout",
      `${this.#options.data} does not end even by SIGKILL: its disk hangs`,
    );
  }

  /** Has it read its settings again. */
  reload(): void {
    this.#signal("SIGHUP");
  }

  /** What it wrote to its log since it was started, the end of it. */
  lastLines(): string {
    return tail(this.#options.log, this.#logFrom);
  }

  #signal(name: NodeJS.Signals): void {
    if (this.#exit === undefined && (this.identity.startTime === "gone" || isAlive(this.identity)))
      send(this.identity.pid, name);
  }

  async #endsWithin(ms: number): Promise<boolean> {
    let cancel: Cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#options.scheduler.after(ms, () => resolve(false));
    });
    const isOver = await Promise.race([this.ended.then(() => true), late]);
    cancel();
    return isOver;
  }
}

/** A wait by the scheduler. */
export function pause(scheduler: Scheduler, ms: number): Promise<void> {
  return new Promise((resolve) => void scheduler.after(ms, resolve));
}

/** Kills what a dead first process left: it may still write, and keeps the next start from its memory. */
async function killLeftovers({ data, clock, scheduler }: WatchedServer): Promise<void> {
  const giveUpMs = clock.nowMs() + LEFTOVERS_MS;
  for (;;) {
    const left = pidsOf(data, undefined);
    if (left.length === 0 || clock.nowMs() > giveUpMs) return;
    for (const pid of left) send(pid, "SIGKILL");
    await pause(scheduler, WAIT_POLL_MS);
  }
}

/** A process that does not die in this time hangs in the kernel; the next start will say so. */
const LEFTOVERS_MS = 5000;

/** Processes that work in the data directory or are children of `parent`. */
function pidsOf(data: string, parent: number | undefined): number[] {
  const folder = realpathOf(data);
  return allPids().filter((pid) => {
    const fields = statFields(pid);
    if (fields === undefined || fields[0] === "Z") return false;
    const isChild = parent !== undefined && Number(fields[1]) === parent;
    return isChild || (linkOf(pid, "cwd") === folder && isPostgres(pid));
  });
}

function allPids(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return []; // not Linux: the server's own processes end when they miss the first one
  }
}

/** Whether a pid is a server of this data directory; where it cannot be told, the lock file is believed. */
function worksIn(pid: number, data: string): boolean {
  return process.platform !== "linux" || (linkOf(pid, "cwd") === realpathOf(data) && isPostgres(pid));
}

/** Somebody's shell may stand in the same folder. The program's file may have been replaced since: " (deleted)". */
function isPostgres(pid: number): boolean {
  return /\/postgres( \(deleted\))?$/.test(linkOf(pid, "exe") ?? "");
}

function linkOf(pid: number, name: "cwd" | "exe"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

interface Lock {
  readonly pid: number;
  readonly status: string;
}

/** The server's lock file: its pid in line 1, what it does in line 8. */
export function readLock(data: string): Lock | undefined {
  try {
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    return { pid: Number(lines[0]), status: (lines[7] ?? "").trim() };
  } catch {
    return undefined;
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_ROTATE_BYTES)
    renameSync(path, `${path}.1`);
  return openSync(path, "a", LOG_MODE);
}

/** Enough for the reason of an end. */
const TAIL_BYTES = 8 * 1024;

function tail(path: string, from: number): string {
  try {
    return readFileSync(path).subarray(from).subarray(-TAIL_BYTES).toString();
  } catch {
    return "";
  }
}

/** What a log says about a start that failed -> code. */
const START_PROBLEMS: readonly (readonly [RegExp, ConstructorParameters<typeof ServerError>[0], string])[] = [
  [
    /Cannot assign requested address/,
    "address-not-here",
    "it is told to listen on an address that this machine does not have",
  ],
  [
    /Address already in use|could not create any TCP\/IP sockets/,
    "port-in-use",
    "another program listens on its port",
  ],
  [/error while loading shared libraries|Library not loaded/, "library-missing", "a library is missing"],
  [
    /recovery ended before configured recovery target was reached/,
    "target-not-reached",
    "the archive ends before the point that was asked for",
  ],
  [
    /could not restore file/,
    "archive-unreadable",
    "a file of the archive could not be copied (is the disk full?)",
  ],
];

/** The error for a run whose log ends with `log`. */
export function startProblem(log: string): ServerError {
  const lines = log
    .split("\n")
    .filter((line) =>
      /FATAL|PANIC|could not|last completed transaction|error while|HINT|invalid value|unrecognized|syntax error/.test(
        line,
      ),
    );
  const text = lines.slice(-4).join("; ") || log.trim().split("\n").slice(-2).join("; ");
  const row = START_PROBLEMS.find(([pattern]) => pattern.test(log));
  if (row !== undefined) return new ServerError(row[1], `${row[2]}: ${text}`);
  return new ServerError("start-failed", `the server did not start: ${text}`);
}
