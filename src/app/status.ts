/**
 * What the admin API says: the controller's view of services and the scoreboard's view of traffic, put together.
 */
import { systemClock } from "../base/index.ts";
import {
  type Config,
  describeAction,
  describeMatch,
  type FallbackConfig,
  formatAddress,
  type ListenerConfig,
  type RuleConfig,
  type Snapshot,
} from "../config/index.ts";
import type {
  Controller,
  ServiceStatus as ControlService,
  TaskStatus as ControlTask,
  Deploy,
} from "../control/index.ts";
import { type Column, GROUP_COUNTER, HEALTH, NO_GROUP, TARGET_COUNTER } from "../gateway/index.ts";
import { explainDecision } from "../scaling/index.ts";
import type * as api from "./api.ts";
import type { CacheTraffic } from "./cache-traffic.ts";
import type { GatewayPlane } from "./gateway-plane.ts";
import type { Propagation } from "./propagation.ts";
import type { Traffic } from "./traffic.ts";

/** What a status is made of. */
export interface StatusSources {
  readonly controller: Controller;
  readonly plane: GatewayPlane;
  readonly traffic: Traffic;
  readonly cache: CacheTraffic;
  readonly propagation: Pick<Propagation, "isActive" | "status">;
  readonly config: () => Config;
  readonly databases: () => readonly api.DatabaseStatus[];
  readonly info: {
    readonly version: string;
    readonly configPath: string | null;
    readonly stateDirectory: string;
    readonly sinceMs: number;
  };
}

/** The whole status. */
export function readStatus(sources: StatusSources): api.Status {
  const { controller, plane, traffic, info } = sources;
  const control = controller.status();
  const tasks = control.services.flatMap((service) => service.tasks);
  const databases = sources.databases();
  return {
    version: info.version,
    controller: {
      pid: process.pid,
      since: new Date(info.sinceMs).toISOString(),
      state: control.phase === "running" ? "running" : "stopping",
      configPath: info.configPath,
      stateDirectory: info.stateDirectory,
      revision: control.snapshot.revision,
      problem: control.problem ?? null,
    },
    gateway: {
      workers: control.workers.map((task, index) =>
        workerStatus(task, task.worker ?? index, plane.workers()),
      ),
      listeners: sources.config().listeners.map(listenerStatus),
      groups: groupStatuses(plane, traffic, tasks),
      noGroup: traffic.group(NO_GROUP),
      cache: sources.cache.status(systemClock.nowMs()),
      ...(sources.propagation.isActive ? { edges: sources.propagation.status() } : {}),
    },
    services: control.services.map(serviceStatus),
    ...(databases.length === 0 ? {} : { databases }),
  };
}

function workerStatus(task: ControlTask, index: number, live: readonly Column[]): api.WorkerStatus {
  const column = live.find(({ pid }) => pid === task.pid);
  return {
    index,
    pid: task.pid ?? 0,
    state: workerState(task, column),
    revision: column?.ackedRevision ?? 0,
    connections: column?.connections ?? 0,
  };
}

function workerState(task: ControlTask, column: Column | undefined): api.WorkerStatus["state"] {
  if (task.state === "draining" || task.state === "stopping") return "stopping";
  if (task.state === "starting" || task.state === "pending") return "starting";
  return column === undefined ? "dead" : "serving";
}

function listenerStatus({ name, address, protocol, rules }: ListenerConfig): api.ListenerStatus {
  return { name, url: `${protocol}://${formatAddress(address)}`, rules: rules.map(ruleStatus) };
}

function ruleStatus({ name, match, action }: RuleConfig): api.ListenerStatus["rules"][number] {
  return { name, match: describeMatch(match), action: describeAction(action) };
}

function groupStatuses(
  plane: GatewayPlane,
  traffic: Traffic,
  tasks: readonly ControlTask[],
): api.GroupStatus[] {
  const groups = plane.latest()?.targetGroups ?? [];
  return groups.map((group) => {
    const targets = group.targets.map((target) => targetStatus(target, plane, traffic, tasks));
    return {
      ...traffic.group(group.slot),
      inFlight: plane.groupInFlight(group.slot) ?? 0,
      name: group.name,
      algorithm: group.algorithm,
      panic: inPanic(targets, group.panicThreshold),
      ...(group.fallback === undefined
        ? {}
        : { fallback: fallbackStatus(group.slot, group.fallback, plane) }),
      targets,
    };
  });
}

function fallbackStatus(
  row: number,
  { group, requestsMax }: FallbackConfig,
  { scoreboard }: GatewayPlane,
): api.FallbackStatus {
  return {
    group,
    requestsMax,
    inFlight: scoreboard.groupFallbacks(row),
    requests: scoreboard.groupCounter(row, GROUP_COUNTER.fallbacks),
    refused: scoreboard.groupCounter(row, GROUP_COUNTER.fallbacksRefused),
  };
}

/** As the workers judge it: the share of active targets that are neither unhealthy nor ejected. */
function inPanic(targets: readonly api.TargetStatus[], threshold: number): boolean {
  const active = targets.filter(({ state }) => state === "active");
  const usable = active.filter(({ health, ejected }) => health !== "unhealthy" && !ejected);
  return active.length > 0 && usable.length < active.length && usable.length / active.length < threshold;
}

function targetStatus(
  { id, weight, state, slot }: Snapshot["targetGroups"][number]["targets"][number],
  plane: GatewayPlane,
  traffic: Traffic,
  tasks: readonly ControlTask[],
): api.TargetStatus {
  const board = plane.scoreboard;
  const task = tasks.find(({ target }) => target === id)?.id;
  return {
    id,
    weight,
    state,
    health: HEALTH_WORDS[board.health(slot)],
    ejected: board.ejectedBy(slot) > 0,
    inFlight: plane.inFlight(slot),
    requests: board.targetCounter(slot, TARGET_COUNTER.requests),
    failures: board.targetCounter(slot, TARGET_COUNTER.failures),
    status5xx: board.targetCounter(slot, TARGET_COUNTER.status5xx),
    rps: traffic.targetRps(slot),
    ...(task === undefined ? {} : { task }),
  };
}

const HEALTH_WORDS = {
  [HEALTH.unknown]: "unknown",
  [HEALTH.healthy]: "healthy",
  [HEALTH.unhealthy]: "unhealthy",
} as const;

function serviceStatus(service: ControlService): api.ServiceStatus {
  const { name, wanted, healthy, revision, state, message, tasks, deploy, autoscale } = service;
  return {
    name,
    wanted,
    healthy,
    revision,
    state,
    message,
    running: tasks.filter(({ pid }) => pid !== undefined).length,
    autoscale: autoscale === undefined ? null : { min: autoscale.min, max: autoscale.max },
    tasks: tasks.map(taskStatus),
    deploy: deploy === undefined ? null : deployStatus(name, deploy),
  };
}

function taskStatus(task: ControlTask): api.TaskStatus {
  return {
    id: task.id,
    state: task.state,
    pid: task.pid ?? null,
    port: task.port ?? null,
    revision: task.revision,
    since: new Date(task.sinceMs).toISOString(),
    restarts: task.restarts,
    reason: task.waiting ?? task.reason ?? task.problem ?? "",
    log: task.log ?? "",
    cpu: task.cpu ?? null,
    inFlight: task.inFlight,
  };
}

/** A deploy, with its times as dates. */
export function deployStatus(
  service: string,
  { from, to, status, message, startedMs, endedMs }: Deploy,
): api.DeployStatus {
  return {
    service,
    from,
    to,
    status,
    message: message ?? "",
    started: new Date(startedMs).toISOString(),
    ended: endedMs === undefined ? null : new Date(endedMs).toISOString(),
  };
}

/** What the autoscaler decided for a service, newest first. */
export function scaleExplanation(service: string, sources: StatusSources): api.ScaleExplanation | undefined {
  const status = sources.controller.status().services.find(({ name }) => name === service);
  const config = sources.config().services.find(({ name }) => name === service);
  if (status === undefined) return undefined;
  const decisions = sources.controller.decisions(service).toReversed();
  return {
    service,
    wanted: status.wanted,
    policy: config?.autoscale === undefined ? null : { ...config.autoscale },
    decisions: decisions.map((decision) => ({
      at: new Date(decision.atMs).toISOString(),
      from: decision.inputs.wanted,
      to: decision.result,
      reason: decision.reason,
      message: explainDecision(decision).join("\n"),
      inputs: decision.inputs,
      votes: decision.votes.map((vote) => ({ ...vote })),
      clamps: decision.clamps.map(({ kind, from, to }) => `${kind}: ${from} -> ${to}`),
    })),
  };
}
