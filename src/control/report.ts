/** The controller's status put together from its parts. */
import type { Autoscaler } from "./autoscaler.ts";
import type { Publisher } from "./publisher.ts";
import type { Readiness } from "./readiness.ts";
import type { Roster } from "./roster.ts";
import type { Service } from "./service.ts";
import {
  type ServiceStatus,
  type Status,
  serviceStatus,
  type TaskFacts,
  type TaskStatus,
  taskStatus,
} from "./status.ts";
import type { Task } from "./task.ts";
import type { TaskSignals } from "./view.ts";
import { GATEWAY } from "./workers.ts";

/** Where the parts of a status come from. */
export interface ReportSources {
  readonly roster: Roster;
  /** Absent until the controller has started. */
  readonly publisher: Publisher | undefined;
  readonly autoscaler: Autoscaler;
  readonly readiness: Readiness;
  readonly signals: (task: Task, service: Service) => TaskSignals;
  readonly isConfigured: (service: string) => boolean;
  readonly phase: Status["phase"];
  readonly problem: string | undefined;
}

/** The status at this instant. O(tasks). */
export function reportStatus(sources: ReportSources): Status {
  const { roster, publisher, phase, problem } = sources;
  const all = roster.services();
  const gateway = all.find((service) => service.config.name === GATEWAY);
  return {
    phase,
    snapshot: { revision: publisher?.latest?.revision ?? 0, acked: publisher?.acked() ?? "no-workers" },
    services: all.filter((service) => service !== gateway).map((service) => reportService(service, sources)),
    workers: gateway === undefined ? [] : reportTasks(gateway, sources),
    ...(problem === undefined ? {} : { problem }),
  };
}

function reportService(service: Service, sources: ReportSources): ServiceStatus {
  const { name } = service.config;
  const last = sources.autoscaler.decisions(name).at(-1);
  return serviceStatus(service, reportTasks(service, sources), sources.isConfigured(name), last);
}

function reportTasks(service: Service, sources: ReportSources): TaskStatus[] {
  const tasks = sources.roster.tasksOf(service.config.name);
  return tasks.map((task) => taskStatus(task, factsOf(task, service, sources)));
}

function factsOf(task: Task, service: Service, sources: ReportSources): TaskFacts {
  const { drainAcked, inFlight } = sources.signals(task, service);
  const isWorker = service.config.name === GATEWAY;
  const serving = isWorker ? task.state.kind === "healthy" : (sources.publisher?.isServing(task) ?? false);
  const asked = sources.readiness.lastAnswer(task.id)?.what;
  const waiting = waitingFor(task, serving, drainAcked, inFlight) ?? asked;
  return { inFlight, serving, cpu: sources.autoscaler.cores(task), waiting };
}

/** What a registered task waits for, when it does. */
function waitingFor(
  { state }: Task,
  serving: boolean,
  drainAcked: TaskSignals["drainAcked"],
  inFlight: number,
): string | undefined {
  if (state.kind === "healthy") return serving ? undefined : "the gateway to take it up";
  if (state.kind !== "draining") return undefined;
  return drainAcked === "all" ? `${inFlight} requests in flight` : `its acknowledgement (${drainAcked})`;
}
