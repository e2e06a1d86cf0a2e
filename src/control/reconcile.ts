/**
 * Reconciliation of one service: a pure function from what is wanted and what is there to a list of actions.
 *
 * Two halves. Each task's own life: launch it, wait out its backoff, drain, stop, kill. And the population: how many
 * tasks of which revision (see population.ts). Nothing is signalled before the data plane has acknowledged its drain.
 */
import { formatDuration } from "../base/index.ts";
import { populate } from "./population.ts";
import type { Task, TaskState } from "./task.ts";
import type { Action, ServiceView } from "./view.ts";

/**
 * A healthy task that the data plane finds unhealthy is replaced after this long: three times the default check's
 * way to "unhealthy", so that a pause or a restarting dependency does not cost the process.
 */
export const UNHEALTHY_REPLACE_MS = 30_000;

/** What to do now. O(tasks). */
export function reconcile(view: ServiceView): Action[] {
  return [...view.tasks.flatMap((task) => lifeOf(task, view)), ...replaceUnhealthy(view), ...populate(view)];
}

function lifeOf(task: Task, view: ServiceView): Action[] {
  const { state } = task;
  switch (state.kind) {
    case "pending":
      return view.goal === "run" ? [{ kind: "launch", task }] : [];
    case "starting":
      return startOverdue(task, state, view);
    case "healthy":
      return [];
    case "draining":
      return isDrained(task, state, view) ? [{ kind: "step", task, event: { kind: "drained" } }] : [];
    case "stopping":
      return graceOver(task, state, view);
    case "backoff":
      return view.goal === "run" && view.nowMs >= state.untilMs ? [{ kind: "retry", task }] : [];
    case "stopped":
      return [{ kind: "forget", task }];
  }
}

function startOverdue(
  task: Task,
  state: Extract<TaskState, { kind: "starting" }>,
  view: ServiceView,
): Action[] {
  const { startTimeoutMs } = view.service.config;
  if (view.nowMs - state.sinceMs < startTimeoutMs) return [];
  const message = view.signals(task).notReady ?? `was not ready within ${formatDuration(startTimeoutMs)}`;
  return [
    { kind: "step", task, event: { kind: "retire", reason: "not-ready", afterwards: "restart", message } },
  ];
}

/** Never before the acknowledgement, however late it is; when everything goes down, no data plane is one too. */
function isDrained(task: Task, state: Extract<TaskState, { kind: "draining" }>, view: ServiceView): boolean {
  const { drainAcked, inFlight } = view.signals(task);
  if (drainAcked === "no-workers") return view.goal === "down";
  if (drainAcked === "waiting") return false;
  return inFlight === 0 || view.nowMs - state.sinceMs >= view.service.config.drainTimeoutMs;
}

function graceOver(task: Task, state: Extract<TaskState, { kind: "stopping" }>, view: ServiceView): Action[] {
  const over = !state.killed && view.nowMs - state.sinceMs >= view.service.config.stopTimeoutMs;
  return over ? [{ kind: "step", task, event: { kind: "grace-over" } }] : [];
}

/** One at a time: when all fail together the cause is elsewhere, and killing all of them at once would not help. */
function replaceUnhealthy(view: ServiceView): Action[] {
  if (view.goal !== "run" || view.tasks.some(isReplaced)) return [];
  const task = view.tasks.find(
    (candidate) =>
      candidate.state.kind === "healthy" && view.signals(candidate).unhealthyForMs >= UNHEALTHY_REPLACE_MS,
  );
  if (task === undefined) return [];
  const message = `failed its health checks for ${formatDuration(UNHEALTHY_REPLACE_MS)} while its process was alive`;
  return [
    { kind: "step", task, event: { kind: "retire", reason: "unhealthy", afterwards: "restart", message } },
  ];
}

function isReplaced({ state, lastFailure }: Task): boolean {
  if (state.kind === "draining" || state.kind === "stopping") return state.reason === "unhealthy";
  return lastFailure?.reason === "unhealthy" && state.kind !== "healthy" && state.kind !== "stopped";
}
