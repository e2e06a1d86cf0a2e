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
  /** Tasks that are healthy and get requests: registered, and the gateway knows it. */
  readonly healthy: number;
  readonly revision: string;
  readonly state: ServiceState;
  /** One sentence: what goes on, or what is wrong and how to mend it. */
  readonly message: string;
  readonly tasks: readonly TaskStatus[];
  /** The deploy under way, or the last one. */
  readonly deploy?: Deploy;
  readonly autoscale?: { readonly min: number; readonly max: number; readonly last?: Decision };
}

/** What a service is doing, from the outside. */
export type ServiceState =
  | "steady"
  /** On its way to the wanted number. */
  | "changing"
  | "deploying"
  | "rolling-back"
  /** Below the wanted number because tasks fail. */
  | "failing"
  /** No longer in the config; its tasks are being drained. */
  | "removing";

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
  readonly inFlight: number;
  /** Whether the gateway sends it requests. */
  readonly serving: boolean;
  /** Cores used, over the last ten seconds. */
  readonly cpu?: number;
  /** Which gateway worker it is. */
  readonly worker?: number;
}

/** What is known of a task beyond its record. */
export interface TaskFacts {
  readonly inFlight: number;
  readonly serving: boolean;
  readonly cpu?: number | undefined;
  readonly waiting?: string | undefined;
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
    serving: facts.serving,
    ...(process === undefined ? {} : { pid: process.pid, log: process.log }),
    ...(process?.port === undefined ? {} : { port: process.port, target: `${TASK_HOST}:${process.port}` }),
    ...(process?.worker === undefined ? {} : { worker: process.worker }),
    ...(facts.cpu === undefined ? {} : { cpu: facts.cpu }),
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
  const healthy = tasks.filter((task) => task.serving).length;
  const problem = newestProblem(tasks);
  const state = isConfigured ? stateOf(service, tasks.length, healthy, problem) : "removing";
  return {
    name: config.name,
    targetGroup: config.targetGroup,
    wanted,
    healthy,
    revision: current,
    state,
    message: problem !== undefined && healthy < wanted ? problem : SENTENCES[state](service, healthy),
    tasks,
    ...(deploy === undefined ? {} : { deploy }),
    ...(config.autoscale === undefined ? {} : { autoscale: autoscaleStatus(config.autoscale, last) }),
  };
}

function stateOf(
  service: Service,
  tasks: number,
  healthy: number,
  problem: string | undefined,
): ServiceState {
  if (service.deploy?.status === "running") return "deploying";
  if (service.deploy?.status === "rolling-back") return "rolling-back";
  if (healthy < service.wanted && problem !== undefined) return "failing";
  return healthy === service.wanted && tasks === service.wanted ? "steady" : "changing";
}

/** What to say of each state when nothing is wrong with its tasks. */
const SENTENCES: Readonly<Record<ServiceState, (service: Service, healthy: number) => string>> = {
  steady: ({ deploy }) => lastDeploy(deploy) ?? "all tasks are healthy",
  changing: ({ wanted }, healthy) => `${healthy} of ${wanted} tasks are healthy`,
  deploying: ({ deploy }) => `exchanging ${deploy?.from} for ${deploy?.to}`,
  "rolling-back": ({ deploy }) => deploy?.message ?? `going back to ${deploy?.from}`,
  failing: ({ wanted }, healthy) => `${healthy} of ${wanted} tasks are healthy`,
  removing: () => "no longer in the config; its tasks finish their requests",
};

/** A deploy that failed is worth a word for as long as it is the last one. */
function lastDeploy(deploy: Deploy | undefined): string | undefined {
  if (deploy?.status !== "rolled-back" && deploy?.status !== "failed") return undefined;
  return `the last deploy is ${deploy.status}: ${deploy.message ?? "no reason is known"}`;
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
