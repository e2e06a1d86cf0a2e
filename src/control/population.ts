/**
 * How many tasks of which revision a service should have, and the next steps towards that.
 *
 * Outside a deploy: `wanted` tasks of the current revision. During one, tasks are exchanged within two bounds, of
 * which ECS gives the arithmetic: at least `min` healthy, at most `max` at all.
 */
import { deployBounds } from "../config/index.ts";
import { breakerThreshold, type Deploy, isUnderWay } from "./deploy.ts";
import { isStaying, type RetireReason, type Task, type TaskState } from "./task.ts";
import type { Action, ServiceView } from "./view.ts";

/** The steps to take now. */
export function populate(view: ServiceView): Action[] {
  const { service, goal } = view;
  if (goal !== "run")
    return view.tasks.flatMap((task) => retire(task, goal === "down" ? "down" : "service-removed"));
  const { deploy } = service;
  if (!isUnderWay(deploy)) return keep(view);
  return deploy.status === "running" ? roll(view, deploy) : rollBack(view, deploy);
}

/** No deploy: fill up or thin out the current revision; what is left of others goes. */
function keep(view: ServiceView): Action[] {
  const { service } = view;
  const tolerated = service.deploy?.status === "failed" ? service.deploy.to : undefined;
  const isKept = (task: Task): boolean =>
    task.revision === service.current || (task.revision === tolerated && isHealthy(task, view));
  const staying = view.tasks.filter(isStaying);
  const kept = staying.filter(isKept);
  const strays = staying.filter((task) => !isKept(task));
  return [
    ...strays.flatMap((task) => retire(task, "deploy")),
    ...create(service.current, service.wanted - kept.length),
    ...thinOut(kept, kept.length - service.wanted, view),
  ];
}

function roll(view: ServiceView, deploy: Deploy): Action[] {
  const { wanted, config } = view.service;
  const failing = view.tasks.filter((task) => task.revision === deploy.to && task.restarts > 0);
  const failures = failing.reduce((sum, task) => sum + task.restarts, 0);
  if (failures >= breakerThreshold(wanted)) {
    const why = failing.toSorted(byLastFailure).at(-1)?.lastFailure?.message ?? "no reason is known";
    const outcome = config.deploy.rollback
      ? `${deploy.from} goes on serving`
      : "rollback is off: both revisions stay";
    const message = `${failures} starts of ${deploy.to} failed, ${outcome}; the last: ${why}`;
    return [{ kind: "deploy", step: { kind: "fail", message } }];
  }
  return exchange(view, deploy.to, "deploy") ?? [{ kind: "deploy", step: { kind: "succeed" } }];
}

function rollBack(view: ServiceView, deploy: Deploy): Action[] {
  return exchange(view, deploy.from, "rollback") ?? [{ kind: "deploy", step: { kind: "rolled-back" } }];
}

function byLastFailure(a: Task, b: Task): number {
  return (a.lastFailure?.atMs ?? 0) - (b.lastFailure?.atMs ?? 0);
}

/** One round of exchanging all other revisions for `revision`; undefined when nothing is left to exchange. */
function exchange(view: ServiceView, revision: string, reason: RetireReason): Action[] | undefined {
  const { wanted } = view.service;
  const staying = view.tasks.filter(isStaying);
  const news = staying.filter((task) => task.revision === revision);
  const olds = staying.filter((task) => task.revision !== revision);
  const healthyNews = news.filter((task) => isHealthy(task, view)).length;
  const oldsThere = view.tasks.some((task) => task.revision !== revision && task.state.kind !== "stopped");
  if (!oldsThere && healthyNews >= wanted) return undefined;

  const { min, max } = boundsOf(view);
  const there = view.tasks.filter((task) => task.state.kind !== "stopped").length;
  const missing = wanted - news.length;
  const room = Math.max(0, max - there);
  const leaving = view.tasks.filter((task) => !isStaying(task) && task.state.kind !== "stopped").length;
  const unneeded = olds.length - Math.max(0, wanted - healthyNews);
  const inTheWay = missing - room - leaving;
  const spare = staying.filter((task) => isHealthy(task, view)).length - min;
  return [
    ...create(revision, Math.min(missing, room)),
    ...giveWay(olds, Math.max(unneeded, inTheWay), spare, view).flatMap((task) => retire(task, reason)),
    ...thinOut(news, news.length - wanted, view),
  ];
}

/** The deploy's bounds; when a changed number leaves no room, one task more than wanted, so that it never hangs. */
function boundsOf(view: ServiceView): { min: number; max: number } {
  const { wanted, config } = view.service;
  const { min, max } = deployBounds(config.deploy, wanted);
  return { min: Math.min(min, wanted), max: min >= wanted ? Math.max(max, wanted + 1) : Math.max(max, 1) };
}

/** Up to `count` olds: first those that do not serve, then serving ones as far as `spare` goes. */
function giveWay(olds: readonly Task[], count: number, spare: number, view: ServiceView): Task[] {
  const idle = olds.filter((task) => !isHealthy(task, view));
  const serving = olds.filter((task) => isHealthy(task, view)).slice(0, Math.max(0, spare));
  return [...idle, ...serving].slice(0, Math.max(0, count));
}

/** Which to lose first when there are too many: what does not serve, then the youngest, whose caches are coldest. */
const KEEP_RANK: Readonly<Record<TaskState["kind"], number>> = {
  stopped: 0,
  stopping: 0,
  draining: 0,
  backoff: 1,
  pending: 2,
  starting: 3,
  healthy: 4,
};

function thinOut(tasks: readonly Task[], count: number, view: ServiceView): Action[] {
  if (count <= 0) return [];
  const rank = (task: Task): number => (isHealthy(task, view) ? 5 : KEEP_RANK[task.state.kind]);
  const sorted = tasks.toSorted((a, b) => rank(a) - rank(b) || numberOf(b) - numberOf(a));
  return sorted.slice(0, count).flatMap((task) => retire(task, "scale-down"));
}

/** 3 of "web/3". */
function numberOf(task: Task): number {
  return Number(task.id.slice(task.id.lastIndexOf("/") + 1));
}

function create(revision: string, count: number): Action[] {
  return Array.from({ length: Math.max(0, count) }, () => ({ kind: "create", revision }));
}

/** Takes a task out for good; nothing when that is under way already. */
function retire(task: Task, reason: RetireReason): Action[] {
  return isStaying(task)
    ? [{ kind: "step", task, event: { kind: "retire", reason, afterwards: "remove" } }]
    : [];
}

function isHealthy(task: Task, view: ServiceView): boolean {
  return task.state.kind === "healthy" && view.signals(task).unhealthyForMs === 0;
}
