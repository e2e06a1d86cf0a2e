/** A service as the controller keeps it: its config, how many tasks are wanted, and which revision serves. */
import type { ServiceConfig } from "../config/index.ts";
import { type Deploy, isUnderWay } from "./deploy.ts";
import { revisionId, type TaskTemplate, templateHash, templateOf } from "./revision.ts";

export interface Service {
  readonly config: ServiceConfig;
  /** Tasks asked for: by the config at first, then by `scale` or the autoscaler. */
  readonly wanted: number;
  /** Templates by revision: the serving one and, during a deploy, the other. */
  readonly revisions: Readonly<Record<string, TaskTemplate>>;
  /** The revision that serves; that of the last deploy that succeeded. */
  readonly current: string;
  /** Hash of the template that the config asked for last, deployed or not: a failed deploy is not tried again by itself. */
  readonly askedHash: string;
  /** Deploys so far, the first start included. */
  readonly deploys: number;
  /** Number of the next task. */
  readonly nextTask: number;
  /** The deploy under way, or the last one. */
  readonly deploy?: Deploy;
}

/** A service that starts for the first time. */
export function createService(config: ServiceConfig): Service {
  const hash = templateHash(templateOf(config));
  const current = revisionId(1, hash);
  return {
    config,
    wanted: clampWanted(config, config.tasks),
    revisions: { [current]: templateOf(config) },
    current,
    askedHash: hash,
    deploys: 1,
    nextTask: 1,
  };
}

/** The service under a new config; live settings apply, a changed template does not start a deploy yet. */
export function withConfig(service: Service, config: ServiceConfig): Service {
  const wanted = config.tasks === service.config.tasks ? service.wanted : config.tasks;
  return { ...service, config, wanted: clampWanted(config, wanted) };
}

/** The number of tasks within the bounds of autoscaling. */
export function clampWanted(config: ServiceConfig, wanted: number): number {
  const { autoscale } = config;
  return autoscale === undefined ? wanted : Math.min(autoscale.max, Math.max(autoscale.min, wanted));
}

/** Whether the config asks for another template than was asked for last. */
export function needsDeploy(service: Service): boolean {
  return templateHash(templateOf(service.config)) !== service.askedHash;
}

/** The service with a deploy of its config's template begun; one under way is superseded. */
export function beginDeploy(service: Service, cause: Deploy["cause"], nowMs: number): Service {
  const template = templateOf(service.config);
  const hash = templateHash(template);
  const deploys = service.deploys + 1;
  const to = revisionId(deploys, hash);
  return {
    ...service,
    deploys,
    askedHash: hash,
    revisions: { ...service.revisions, [to]: template },
    deploy: { from: service.current, to, startedMs: nowMs, status: "running", cause },
  };
}

/** How a deploy moves on. */
export type DeployStep =
  | { readonly kind: "succeed" }
  | { readonly kind: "fail"; readonly message: string }
  | { readonly kind: "rolled-back" };

/** The service after a step of its deploy. */
export function stepDeploy(service: Service, step: DeployStep, nowMs: number): Service {
  const { deploy } = service;
  if (deploy === undefined || !isUnderWay(deploy)) return service;
  switch (step.kind) {
    case "succeed":
      return { ...service, current: deploy.to, deploy: { ...deploy, status: "succeeded", endedMs: nowMs } };
    case "fail":
      return { ...service, deploy: failedDeploy(service, deploy, step.message, nowMs) };
    case "rolled-back":
      return { ...service, deploy: { ...deploy, status: "rolled-back", endedMs: nowMs } };
  }
}

function failedDeploy(service: Service, deploy: Deploy, message: string, nowMs: number): Deploy {
  if (service.config.deploy.rollback) return { ...deploy, status: "rolling-back", message };
  return { ...deploy, status: "failed", message, endedMs: nowMs };
}

/** Forgets templates that no task and no deploy needs any more. */
export function pruneRevisions(service: Service, inUse: ReadonlySet<string>): Service {
  const { deploy } = service;
  const needed = (id: string): boolean =>
    id === service.current ||
    inUse.has(id) ||
    (isUnderWay(deploy) && (id === deploy.to || id === deploy.from));
  const kept = Object.entries(service.revisions).filter(([id]) => needed(id));
  if (kept.length === Object.keys(service.revisions).length) return service;
  return { ...service, revisions: Object.fromEntries(kept) };
}
