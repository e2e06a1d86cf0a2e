/** What reconciliation sees of one service, and what it may ask for. */
import type { DeployStep, Service } from "./service.ts";
import type { Task, TaskEvent } from "./task.ts";

/** What the controller is after: keep the service running, take it out, or take everything down. */
export type Goal = "run" | "remove" | "down";

/** What is known of a task beyond its state. */
export interface TaskSignals {
  /** Whether every gateway worker serves by a snapshot in which the task is draining. */
  readonly drainAcked: "all" | "waiting" | "no-workers";
  readonly inFlight: number;
  /** How long the data plane has seen it unhealthy; 0 = healthy, or not known. */
  readonly unhealthyForMs: number;
  /** What to say when it is not ready in time: what it did not do, and the mend. */
  readonly notReady?: string;
}

export interface ServiceView {
  readonly service: Service;
  readonly goal: Goal;
  readonly tasks: readonly Task[];
  readonly signals: (task: Task) => TaskSignals;
  readonly nowMs: number;
}

/** One thing to do next. */
export type Action =
  /** Make a new task of this revision. */
  | { readonly kind: "create"; readonly revision: string }
  /** Start the process of a pending task. */
  | { readonly kind: "launch"; readonly task: Task }
  /** Step the task's state machine; `backoff-over` gets its nonce from the caller. */
  | {
      readonly kind: "step";
      readonly task: Task;
      readonly event: Exclude<TaskEvent, { kind: "backoff-over" }>;
    }
  | { readonly kind: "retry"; readonly task: Task }
  /** Forget a stopped task. */
  | { readonly kind: "forget"; readonly task: Task }
  | { readonly kind: "deploy"; readonly step: DeployStep };
