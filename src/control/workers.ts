/** The gateway's worker processes as a service of their own: supervised, deployed and adopted like any other. */
import type { ServiceConfig } from "../config/index.ts";
import { Ledger } from "./ledger.ts";
import type { ProcessRef } from "./runtime.ts";
import type { StateStore } from "./state-store.ts";
import { processOf, type Task } from "./task.ts";

/** Name of the built-in service; no user's service can be called so, since names hold no "@". */
export const GATEWAY = "@gateway";

/** How to run the gateway's workers. Must be the same at each start, or the workers are replaced one by one. */
export interface WorkerSet {
  readonly count: number;
  /** An argument that is `WORKER_PLACEHOLDER` becomes the worker's number. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long a worker may take until it serves. */
  readonly startTimeoutMs: number;
  /** From SIGTERM, on which a worker stops accepting and finishes what is in flight, until SIGKILL. */
  readonly stopTimeoutMs: number;
}

/** Stands for the worker's number in its command. */
export const WORKER_PLACEHOLDER = "{worker}";

/** How many workers of an earlier controller still run; `isAlive` tells whether a process on record is there. */
export async function livingWorkers(
  store: StateStore,
  isAlive: (process: ProcessRef) => boolean,
): Promise<number> {
  const { tasks } = await new Ledger(store).load();
  const processes = tasks.filter((task) => task.service === GATEWAY).map(processOf);
  return processes.filter((process) => process !== undefined && isAlive(process)).length;
}

/**
 * The lowest number that no other worker has. While workers are exchanged there are at most twice as many as wanted,
 * so the numbers stay within the two generations of columns that the scoreboard has.
 */
export function freeWorker(tasks: readonly Task[]): number {
  const taken = new Set(tasks.map((task) => processOf(task)?.worker));
  let number = 0;
  while (taken.has(number)) number += 1;
  return number;
}

/** The service that keeps the workers running. */
export function gatewayService(workers: WorkerSet): ServiceConfig {
  const { count, command, cwd, env, startTimeoutMs, stopTimeoutMs } = workers;
  return {
    name: GATEWAY,
    tasks: count,
    command,
    cwd,
    env,
    startTimeoutMs,
    stopTimeoutMs,
    targetGroup: "",
    health: UNUSED_HEALTH,
    drainTimeoutMs: 0,
    deploy: { minHealthyPercent: 100, maxPercent: 200, rollback: true },
    limits: {},
  };
}

/** Workers are asked through the scoreboard, not at a port. */
const UNUSED_HEALTH: ServiceConfig["health"] = {
  kind: "tcp",
  path: "/",
  statuses: [],
  intervalMs: 1000,
  timeoutMs: 1000,
  rise: 1,
  fall: 1,
  jitter: 0,
};

/** "web/3.log" for a task, "gateway/worker-3.log" for a worker. */
export function logNameOf(task: string): string {
  return task.startsWith(`${GATEWAY}/`)
    ? `gateway/worker-${task.slice(GATEWAY.length + 1)}.log`
    : `${task}.log`;
}
