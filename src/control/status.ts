/** What the controller tells of itself: plain data for the admin API, the CLI and the console. */
import type { Decision } from "../scaling/index.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Deploy } from "./deploy.ts";
import { TASK_HOST } from "./publisher.ts";
import type { Service } from "./service.ts";
import { processOf, type Task, type TaskState } from "./task.ts";

export interface Status {
  /** What the controller is doing as a whole. */
  readonly phase: "running" | "going-down" | "down";
  /** Revision of the latest snapshot, 0 = none yet, and whether all workers serve by it. */
  readonly snapshot: { readonly revision: number; readonly acked: ReturnType<DataPlane["ackedBy"]> };
  readonly services: readonly ServiceStatus[];
  readonly workers: readonly TaskStatus[];
  /** Set while the state could not be written or a snapshot not be published: what, and the mend. */
  readonly problem?: string;
}

export interface ServiceStatus {
  readonly name: string;
  readonly targetGroup: string;
  readonly wanted: number;
  readonly healthy: number;
  readonly revision: string;
  /** "removing": no longer in the config, its tasks are being drained. */
  readonly phase: "running" | "removing";
  readonly tasks: readonly TaskStatus[];
  /** The deploy under way, or the last one. */
  readonly deploy?: Deploy;
  readonly autoscale?: { readonly min: number; readonly max: number; readonly last?: Decision };
  /** Why it is not at its wanted number, if it is not: the newest failure of its tasks. */
  readonly problem?: string;
}

export interface TaskStatus {
  readonly id: string;
  readonly state: TaskState["kind"];
  readonly revision: string;
  /** Milliseconds since the epoch at which it entered its state. */
  readonly sinceMs: number;
  readonly restarts: number;
  readonly pid?: number;
  readonly port?: number;
  /** "127.0.0.1:20003". */
  readonly target?: string;
  readonly log?: string;
  /** Why it leaves, while it does. */
  readonly reason?: string;
  /** Its last failure: what happened, and the mend. */
  readonly problem?: string;
  /** What it is waiting for, while it is not obvious. */
  readonly waiting?: string;
  readonly inFlight?: number;
}

/** What is known of a task beyond its record. */
export interface TaskFacts {
  readonly inFlight: number;
  readonly waiting?: string;
}

/** One task, for people and scripts. */
export function taskStatus(task: Task, facts: TaskFacts): TaskStatus {
  const { id, state, revision, restarts, lastFailure } = task;
  const process = processOf(task);
  return {
    id,
    state: state.kind,
    revision,
    sinceMs: state.sinceMs,
    restarts,
    inFlight: facts.inFlight,
    ...(process === undefined ? {} : { pid: process.pid, log: process.log }),
    ...(process?.port === undefined ? {} : { port: process.port, target: `${TASK_HOST}:${process.port}` }),
    ...("reason" in state ? { reason: state.reason } : {}),
    ...(lastFailure === undefined ? {} : { problem: lastFailure.message }),
    ...(facts.waiting === undefined ? {} : { waiting: facts.waiting }),
  };
}

/** One service with its tasks. `isConfigured` = it is in the config in force. */
export function serviceStatus(
  service: Service,
  tasks: readonly TaskStatus[],
  isConfigured: boolean,
  last: Decision | undefined,
): ServiceStatus {
  const { config, wanted, current, deploy } = service;
  const healthy = tasks.filter((task) => task.state === "healthy").length;
  const problem = healthy < wanted ? newestProblem(tasks) : undefined;
  return {
    name: config.name,
    targetGroup: config.targetGroup,
    wanted,
    healthy,
    revision: current,
    phase: isConfigured ? "running" : "removing",
    tasks,
    ...(deploy === undefined ? {} : { deploy }),
    ...(config.autoscale === undefined ? {} : { autoscale: autoscaleStatus(config.autoscale, last) }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function autoscaleStatus(
  { min, max }: { readonly min: number; readonly max: number },
  last: Decision | undefined,
): NonNullable<ServiceStatus["autoscale"]> {
  return last === undefined ? { min, max } : { min, max, last };
}

function newestProblem(tasks: readonly TaskStatus[]): string | undefined {
  const failing = tasks.filter((task) => task.state !== "healthy" && task.problem !== undefined);
  return failing.toSorted((a, b) => a.sinceMs - b.sinceMs).at(-1)?.problem;
}
