/** What people are told of a task that does not come up or does not stay: the thing, what happened, the mend. */
import { formatDuration } from "../base/index.ts";
import type { HealthConfig } from "../config/index.ts";
import type { CheckResult } from "../health/index.ts";
import { describeExit, type Exit, type ProcessRef } from "./runtime.ts";

/** Lines of its log that are shown with a failure. */
export const TAIL_LINES = 5;

/** Why a task is not ready. */
export interface NotReady {
  /** "did not listen on PORT=20003". */
  readonly what: string;
  readonly mend: string;
}

/** What a failed readiness check means. */
export function notReady(result: CheckResult, health: HealthConfig, port: number): NotReady | undefined {
  if (result.kind === "pass") return undefined;
  if (result.reason === "status") return wrongStatus(health, result.status);
  if (result.reason === "connect-refused" || result.reason === "connect-failed")
    return notListening(health, port);
  const check = health.kind === "http" ? `GET ${health.path}` : "a TCP connect";
  return {
    what: `failed its readiness check (${check} on port ${health.port ?? port}: ${result.reason})`,
    mend: "mend what the check asks, or the service's health settings",
  };
}

function wrongStatus(health: HealthConfig, status: number | undefined): NotReady {
  const ranges = health.statuses.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(", ");
  return {
    what: `answered GET ${health.path} with ${status ?? "no status"} where ${ranges} is wanted`,
    mend: `make the app answer it, or set health.path to a path that it answers`,
  };
}

function notListening(health: HealthConfig, port: number): NotReady {
  if (health.port !== undefined && health.port !== port) {
    return { what: `did not listen on its health port ${health.port}`, mend: "mend health.port, or the app" };
  }
  return {
    what: `did not listen on PORT=${port}`,
    mend: "make the app listen on the port in its environment variable PORT",
  };
}

/** A gateway worker has loaded no snapshot yet. */
export const WORKER_NOT_READY: NotReady = {
  what: "did not begin to serve",
  mend: "its log says why: a listener's address may be in use",
};

/** The message of a task that was not ready in time. */
export function lateMessage({ what, mend }: NotReady, timeoutMs: number): string {
  return `${what} within ${formatDuration(timeoutMs)}: ${mend}`;
}

/** The message of a process that ended by itself. `lived` is since its start. */
export function exitMessage(exit: Exit, livedMs: number, tail: readonly string[]): string {
  const mend = tail.some((line) => line.includes("EADDRINUSE"))
    ? " (its port was taken; it gets another one)"
    : "";
  return `ended with ${describeExit(exit)} after ${formatDuration(Math.round(livedMs))}${mend}`;
}

/** "task web/3 (pid 123) did …; its log ends: …". */
export function taskMessage(
  id: string,
  process: ProcessRef | undefined,
  what: string,
  tail: readonly string[],
): string {
  const pid = process === undefined ? "" : ` (pid ${process.pid})`;
  const end = tail.length === 0 ? "" : `; its log ends: ${tail.join(" | ")}`;
  return `task ${id}${pid} ${what}${end}`;
}
