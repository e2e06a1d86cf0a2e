/** The gateway's worker processes as a service of their own: supervised, deployed and adopted like any other. */
import type { ServiceConfig } from "../config/index.ts";

/** Name of the built-in service; no user's service can be called so, since names hold no "@". */
export const GATEWAY = "@gateway";

/** How to run the gateway's workers. Must be the same at each start, or the workers are replaced one by one. */
export interface WorkerSet {
  readonly count: number;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** How long a worker may take until it serves. */
  readonly startTimeoutMs: number;
  /** From SIGTERM, on which a worker stops accepting and finishes what is in flight, until SIGKILL. */
  readonly stopTimeoutMs: number;
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
