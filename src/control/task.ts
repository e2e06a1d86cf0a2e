/**
 * A task: one copy of a service's command, as a state machine.
 *
 *   pending -> starting -> healthy -> draining -> stopping -> stopped
 *      ^          |           |          |           |
 *      +- backoff +-----------+----------+-----------+   (failed, or to be restarted)
 *
 * `step` is pure: (task, event) -> task. What must happen outside when a state is entered is told by `effectOf`, so
 * that the state can be journaled first. Times are the controller's clock (see controller.ts), in milliseconds.
 */
import type { Random } from "../base/index.ts";
import { BACKOFF_MS_MAX, backoffMs, RECOVERED_MS } from "./backoff.ts";
import { describeExit, type Exit, type LaunchProblem, type ProcessRef } from "./runtime.ts";

/** Why a task is taken out. */
export type RetireReason =
  | "scale-down"
  | "deploy"
  | "rollback"
  | "service-removed"
  | "down"
  | "unhealthy"
  | "not-ready";

/** Why a task failed. */
export type FailureReason = LaunchProblem | "exited" | "not-ready" | "unhealthy" | "vanished";

/** What a retired task becomes once its process is gone. */
export type Afterwards = "remove" | "restart";

/** Where a task is in its life; see the drawing above. */
export type TaskState =
  /** Wants a process; the nonce is chosen, so that a launch can be found again. */
  | { readonly kind: "pending"; readonly sinceMs: number; readonly nonce: string }
  | { readonly kind: "starting"; readonly sinceMs: number; readonly process: ProcessRef }
  /** Passed its readiness check and is registered in its target group. */
  | { readonly kind: "healthy"; readonly sinceMs: number; readonly process: ProcessRef }
  /** Gets no new requests; waits until the data plane says so and those in flight are done. */
  | ({ readonly kind: "draining" } & Leaving)
  /** SIGTERM was sent, or SIGKILL when `killed`. */
  | ({ readonly kind: "stopping"; readonly killed: boolean } & Leaving)
  | { readonly kind: "backoff"; readonly sinceMs: number; readonly untilMs: number }
  | { readonly kind: "stopped"; readonly sinceMs: number; readonly reason: RetireReason };

interface Leaving {
  readonly sinceMs: number;
  readonly process: ProcessRef;
  readonly reason: RetireReason;
  readonly afterwards: Afterwards;
}

/** The last failure, kept while the task tries again. */
export interface Failure {
  readonly atMs: number;
  readonly reason: FailureReason;
  /** Names the thing and the mend, for people. */
  readonly message: string;
}

export interface Task {
  /** "web/3"; never used again. */
  readonly id: string;
  readonly service: string;
  /** Which revision of the service it runs. */
  readonly revision: string;
  /** Failures since it was made. */
  readonly restarts: number;
  /** Failures in a row; what the backoff goes by. */
  readonly failures: number;
  readonly lastFailure?: Failure;
  readonly state: TaskState;
}

/** What can happen to a task. */
export type TaskEvent =
  | { readonly kind: "launched"; readonly process: ProcessRef }
  | { readonly kind: "launch-failed"; readonly reason: LaunchProblem; readonly message: string }
  | { readonly kind: "ready" }
  | { readonly kind: "exited"; readonly exit: Exit; readonly message?: string }
  /** Take it out: with a drain if it serves, at once if it does not. `message` when it is for a failure. */
  | {
      readonly kind: "retire";
      readonly reason: RetireReason;
      readonly afterwards: Afterwards;
      readonly message?: string;
    }
  | { readonly kind: "drained" }
  | { readonly kind: "grace-over" }
  | { readonly kind: "backoff-over"; readonly nonce: string };

/** What a step may look at beside the task. */
export interface StepContext {
  readonly nowMs: number;
  readonly random: Random;
}

/** A new task that wants a process. */
export function createTask(id: string, service: string, revision: string, pending: TaskState): Task {
  return { id, service, revision, restarts: 0, failures: 0, state: pending };
}

/** The task after the event. An event that means nothing in the task's state leaves it as it is. */
export function step(task: Task, event: TaskEvent, context: StepContext): Task {
  switch (event.kind) {
    case "launched":
      if (task.state.kind !== "pending") return task;
      return entered(task, { kind: "starting", sinceMs: context.nowMs, process: event.process });
    case "launch-failed":
      if (task.state.kind !== "pending") return task;
      return failed(task, event.reason, event.message, context);
    case "ready":
      if (task.state.kind !== "starting") return task;
      return entered(task, { kind: "healthy", sinceMs: context.nowMs, process: task.state.process });
    case "exited":
      return exited(task, event.message ?? `ended with ${describeExit(event.exit)}`, context);
    case "retire":
      return retired(task, event, context);
    case "drained":
      if (task.state.kind !== "draining") return task;
      return entered(task, { ...task.state, kind: "stopping", sinceMs: context.nowMs, killed: false });
    case "grace-over":
      if (task.state.kind !== "stopping" || task.state.killed) return task;
      return entered(task, { ...task.state, killed: true });
    case "backoff-over":
      if (task.state.kind !== "backoff") return task;
      return entered(task, { kind: "pending", sinceMs: context.nowMs, nonce: event.nonce });
  }
}

function entered(task: Task, state: TaskState): Task {
  return { ...task, state };
}

function failed(task: Task, reason: FailureReason, message: string, context: StepContext): Task {
  const { nowMs, random } = context;
  const failures = (hasRecovered(task.state, nowMs) ? 0 : task.failures) + 1;
  return {
    ...task,
    restarts: task.restarts + 1,
    failures,
    lastFailure: { atMs: nowMs, reason, message },
    state: { kind: "backoff", sinceMs: nowMs, untilMs: nowMs + backoffMs(failures, random) },
  };
}

function hasRecovered(state: TaskState, nowMs: number): boolean {
  return state.kind === "healthy" && nowMs - state.sinceMs >= RECOVERED_MS;
}

function exited(task: Task, message: string, context: StepContext): Task {
  const { state } = task;
  switch (state.kind) {
    case "starting":
    case "healthy":
      return failed(task, "exited", message, context);
    case "draining":
    case "stopping":
      return left(task, state, context);
    case "pending":
    case "backoff":
    case "stopped":
      return task;
  }
}

/** The process of a retired task is gone. */
function left(task: Task, state: Leaving, context: StepContext): Task {
  if (state.afterwards === "remove") {
    return entered(task, { kind: "stopped", sinceMs: context.nowMs, reason: state.reason });
  }
  const reason = state.reason === "not-ready" ? "not-ready" : "unhealthy";
  return failed(task, reason, task.lastFailure?.message ?? state.reason, context);
}

type RetireEvent = Extract<TaskEvent, { kind: "retire" }>;

function retired(task: Task, event: RetireEvent, context: StepContext): Task {
  const { state } = task;
  const { nowMs } = context;
  const { reason, afterwards } = event;
  const noted = event.message === undefined ? task : noteFailure(task, reason, event.message, nowMs);
  switch (state.kind) {
    case "pending":
    case "backoff":
      return afterwards === "remove" ? entered(noted, { kind: "stopped", sinceMs: nowMs, reason }) : task;
    case "starting":
      return entered(noted, {
        kind: "stopping",
        sinceMs: nowMs,
        process: state.process,
        reason,
        afterwards,
        killed: false,
      });
    case "healthy":
      return entered(noted, { kind: "draining", sinceMs: nowMs, process: state.process, reason, afterwards });
    case "draining":
    case "stopping":
      return afterwards === "remove" && state.afterwards === "restart"
        ? entered(noted, { ...state, reason, afterwards })
        : task;
    case "stopped":
      return task;
  }
}

function noteFailure(task: Task, reason: RetireReason, message: string, atMs: number): Task {
  return {
    ...task,
    lastFailure: { atMs, reason: reason === "not-ready" ? "not-ready" : "unhealthy", message },
  };
}

/**
 * A task as a new controller takes it up from the journal: waits that were under way begin again, since nobody can
 * say what the time in between was good for, and no time lies in the future, should the clock have been set back.
 */
export function resumed(task: Task, nowMs: number): Task {
  const { state } = task;
  switch (state.kind) {
    case "starting":
    case "draining":
    case "stopping":
      return entered(task, { ...state, sinceMs: nowMs });
    case "backoff":
      return entered(task, { ...state, untilMs: Math.min(state.untilMs, nowMs + BACKOFF_MS_MAX) });
    case "healthy":
    case "pending":
    case "stopped":
      return entered(task, { ...state, sinceMs: Math.min(state.sinceMs, nowMs) });
  }
}

/** What entering a state asks of the world outside. */
export type Effect = "terminate" | "kill";

/** The effect of going from one state to the next, if any. Safe to repeat after a crash. */
export function effectOf(before: TaskState, after: TaskState): Effect | undefined {
  if (after.kind !== "stopping" || before === after) return undefined;
  if (after.killed) return before.kind === "stopping" && before.killed ? undefined : "kill";
  return before.kind === "stopping" ? undefined : "terminate";
}

/** The process a task has, if any. */
export function processOf(task: Task): ProcessRef | undefined {
  return "process" in task.state ? task.state.process : undefined;
}

/** Whether the task is meant to stay: it serves, will serve, or comes back by itself. */
export function isStaying(task: Task): boolean {
  const { state } = task;
  if (state.kind === "draining" || state.kind === "stopping") return state.afterwards === "restart";
  return state.kind !== "stopped";
}
