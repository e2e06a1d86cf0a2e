/** Processes under measurement: started on one core, waited for, stopped by pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accepts, pause, until } from "./wait.ts";

/** What to start and where. */
export interface Launch {
  /** Name in messages and of the log file. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Core to pin to; absent = any. */
  readonly core?: number;
  /** Folder for the log. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A process that this program started and will stop. */
export interface Started {
  readonly pid: number;
  /** What it has written so far, both streams. */
  output(): string;
  /** SIGTERM, then SIGKILL when that is not obeyed. */
  stop(): Promise<void>;
  /** Exit code or signal once it has ended. */
  ended(): number | string | undefined;
}

/** How long a process may take from SIGTERM to its end, and from start to its first accepted connection. */
const STOP_DEADLINE_MS = 3000;
const START_DEADLINE_MS = 15_000;

const running = new Set<Started>();

/** Starts a process, pinned when `core` is given. */
export function launch(start: Launch): Started {
  const logPath = join(start.folder, `${start.name}.log`);
  const log = openSync(logPath, "a");
  const argv =
    start.core === undefined ? [...start.argv] : ["taskset", "-c", String(start.core), ...start.argv];
  const child = spawn(argv[0]!, argv.slice(1), {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...start.env },
    ...(start.cwd === undefined ? {} : { cwd: start.cwd }),
  });
  let failure: string | undefined;
  child.once("error", (error) => {
    failure = `cannot start ${argv[0]}: ${error.message}`;
  });
  const started: Started = {
    pid: child.pid ?? -1,
    output: () => readFileSync(logPath, "utf8"),
    ended: () => failure ?? child.exitCode ?? child.signalCode ?? undefined,
    stop: () => stop(child, started),
  };
  running.add(started);
  return started;
}

/** Starts a process and resolves when the loopback port accepts; the error holds the end of its output. */
export async function launchListening(start: Launch, port: number): Promise<Started> {
  const started = launch(start);
  try {
    await until(`${start.name} to listen on ${port}`, START_DEADLINE_MS, async () => {
      if (started.ended() !== undefined) throw new Error(`${start.name} ended (${started.ended()})`);
      return accepts(port);
    });
  } catch (error) {
    await started.stop();
    throw new Error(`${messageOf(error)}\n${started.output().slice(-2000)}`, { cause: error });
  }
  return started;
}

/** Stops whatever is still running; for the end of a script, whichever way it ends. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((started) => started.stop()));
}

/** Runs `body` with a fresh temporary folder, then stops every process and removes the folder. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-bench-"));
  try {
    return await body(folder);
  } finally {
    await stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function stop(child: ChildProcess, started: Started): Promise<void> {
  running.delete(started);
  if (started.ended() !== undefined) return;
  child.kill("SIGTERM");
  const end = performance.now() + STOP_DEADLINE_MS;
  while (started.ended() === undefined && performance.now() < end) await pause(10);
  if (started.ended() === undefined) child.kill("SIGKILL");
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
