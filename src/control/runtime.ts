/**
 * The task runtime: what starts, finds again and stops processes, as the controller sees it.
 *
 * A process outlives the controller that started it. It is known by pid, start time, boot id and a nonce in its
 * environment; unless all four match, it is somebody else's and is never signalled.
 */
import type { TaskLimitsConfig } from "../config/index.ts";

/** One started process: all that is needed to find it again after a restart of the controller. Kept in the journal. */
export interface ProcessRef {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** Random, in the process's environment as TENFOLD_NONCE; chosen and journaled before the launch. */
  readonly nonce: string;
  /** The port it was told to listen on; absent when it was given none. */
  readonly port?: number;
  /** Which gateway worker it is: its column in the scoreboard. Absent for tasks. */
  readonly worker?: number;
  /** Its control groups, one per hierarchy; empty where they are not writable. */
  readonly cgroups: readonly string[];
  /** File that its output is appended to. */
  readonly log: string;
  /** Bytes that earlier processes had left there; absent = not known. */
  readonly logFromBytes?: number;
}

/** All that is needed to start one process. */
export interface LaunchRequest {
  /** "web/3". */
  readonly task: string;
  readonly service: string;
  readonly nonce: string;
  /** Its log, relative to the folder of logs: "web/3.log". */
  readonly log: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: TaskLimitsConfig;
  /** Whether the process gets a free port in PORT. */
  readonly needsPort: boolean;
  /** Which gateway worker it is, in TENFOLD_WORKER; absent for tasks. */
  readonly worker?: number;
  /** What it starts in a session of its own is not its: it gets no control group, which would hold that, too. */
  readonly outlived?: boolean;
}

/** Why a process could not be started. */
export type LaunchProblem =
  | "command-not-found"
  | "command-not-executable"
  | "cwd-missing"
  | "no-free-port"
  | "log-not-writable"
  | "spawn-failed";

/** The process, or why there is none. */
export type LaunchResult =
  | { readonly kind: "launched"; readonly process: ProcessRef }
  /** `message` names the thing and the mend. */
  | { readonly kind: "failed"; readonly reason: LaunchProblem; readonly message: string };

/** How a process ended. An orphan's exit code went to init: it is unknown, and no 0 is made up. */
export type Exit = (
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "unknown" }
) & {
  /** The kernel killed it, or something it started, at its memory limit. */
  readonly outOfMemory?: boolean;
};

export interface Runtime {
  /** Starts a process. `onExit` is called once, when it has ended and all that it left behind is gone. */
  launch(request: LaunchRequest, onExit: (exit: Exit) => void): Promise<LaunchResult>;
  /** The process of a launch whose outcome was not recorded, found by its nonce. */
  find(request: LaunchRequest): ProcessRef | undefined;
  /** Watches over a process of an earlier controller; false when that very process is no longer alive. */
  adopt(process: ProcessRef, onExit: (exit: Exit) => void): boolean;
  /** Asks it to end: a signal to its process group, SIGHUP when another one takes its place. Does nothing when that very process is gone. */
  terminate(process: ProcessRef, signal?: "SIGTERM" | "SIGHUP"): void;
  /** Ends it and everything it started, at once. */
  kill(process: ProcessRef): void;
  /** CPU seconds used so far by it and its children; undefined when it cannot be told. */
  cpuSeconds(process: ProcessRef): number | undefined;
  /** The last lines of its output, oldest first. */
  logTail(process: ProcessRef, lines: number): readonly string[];
  /** Stops watching; processes go on. */
  close(): void;
}

/** "exit code 1", "signal SIGKILL", "exit code unknown". */
export function describeExit(exit: Exit): string {
  return exit.outOfMemory === true
    ? `${describeEnd(exit)}, out of memory: raise limits.memory`
    : describeEnd(exit);
}

function describeEnd(exit: Exit): string {
  switch (exit.kind) {
    case "code":
      return `exit code ${exit.code}`;
    case "signal":
      return `signal ${exit.signal}`;
    case "unknown":
      return "exit code unknown (an earlier controller had started it)";
  }
}
