/**
 * Carrying out actions: the one place where a decision of reconciliation becomes a record and then a deed.
 *
 * The record comes first. A crash between the two is found by the next controller: a launch by its nonce, a signal by
 * the state that asks for it, which is safe to send again.
 */
import type { Log, LogFields } from "../base/index.ts";
import type { EventLog } from "./event-log.ts";
import { exitMessage, TAIL_LINES, taskMessage } from "./messages.ts";
import type { Roster } from "./roster.ts";
import type { Exit, LaunchRequest, ProcessRef, Runtime } from "./runtime.ts";
import { type DeployStep, type Service, stepDeploy } from "./service.ts";
import { effectOf, processOf, type RetireReason, type Task, type TaskEvent } from "./task.ts";
import type { Action } from "./view.ts";
import { freeWorker, GATEWAY, logNameOf, WORKER_PLACEHOLDER } from "./workers.ts";

/** What actions are carried out on. */
export interface ExecutorContext {
  readonly roster: Roster;
  readonly runtime: Runtime;
  readonly events: EventLog;
  readonly log: Log;
  /** The controller's clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** A new random nonce. */
  readonly nonce: () => string;
  /** Called when a process has ended; the caller hands it back to `exited` in its turn. */
  readonly onExit: (task: string, nonce: string, exit: Exit) => void;
}

/** Another task takes the place of one that goes for these. */
const REPLACED: readonly RetireReason[] = ["deploy", "rollback", "unhealthy", "not-ready"];

/** Carries out actions one after the other. */
export class Executor {
  readonly #context: ExecutorContext;

  constructor(context: ExecutorContext) {
    this.#context = context;
  }

  /** Does what an action asks. Rejects when it could not be recorded, and then has done nothing. */
  async run(service: string, action: Action): Promise<void> {
    const { roster, nonce } = this.#context;
    switch (action.kind) {
      case "create":
        return this.#create(service, action.revision);
      case "launch":
        return this.#launch(action.task);
      case "step":
        return this.step(action.task.id, action.event);
      case "retry":
        return this.step(action.task.id, { kind: "backoff-over", nonce: nonce() });
      case "forget":
        return roster.forget(action.task.id);
      case "deploy":
        return this.#stepDeploy(service, action.step);
    }
  }

  async #create(name: string, revision: string): Promise<void> {
    const service = this.#context.roster.service(name);
    if (service !== undefined) await this.#context.roster.create(service, revision, this.#context.nonce());
  }

  async #launch({ id }: Task): Promise<void> {
    const { roster, runtime } = this.#context;
    const task = roster.task(id);
    const request = task === undefined ? undefined : this.requestOf(task);
    if (request === undefined) return;
    const result = await runtime.launch(request, this.#exitOf(id, request.nonce));
    if (result.kind === "failed") return this.step(id, { ...result, kind: "launch-failed" });
    try {
      await this.step(id, result);
    } catch (problem) {
      // Not on record, so it must not run: the next attempt would start a second one.
      runtime.kill(result.process);
      throw problem;
    }
  }

  /** How to launch a pending task; undefined when it is not pending or its revision is unknown. */
  requestOf(task: Task): LaunchRequest | undefined {
    const template = this.#context.roster.service(task.service)?.revisions[task.revision];
    if (task.state.kind !== "pending" || template === undefined) return undefined;
    const request = {
      ...template,
      task: task.id,
      service: task.service,
      nonce: task.state.nonce,
      log: logNameOf(task.id),
      needsPort: task.service !== GATEWAY,
    };
    return task.service === GATEWAY
      ? asWorker(request, freeWorker(this.#context.roster.tasksOf(GATEWAY)))
      : request;
  }

  #exitOf(task: string, nonce: string): (exit: Exit) => void {
    return (exit) => this.#context.onExit(task, nonce, exit);
  }

  /** Takes up a process of an earlier controller; what has ended meanwhile is stepped on. */
  async adopt(task: Task): Promise<boolean> {
    const process = processOf(task);
    if (process === undefined) return this.#findLaunched(task);
    if (this.#context.runtime.adopt(process, this.#exitOf(task.id, process.nonce))) {
      this.#repeatSignal(task, process);
      return true;
    }
    await this.step(task.id, {
      kind: "exited",
      exit: { kind: "unknown" },
      message: "ended while no controller ran",
    });
    return false;
  }

  async #findLaunched(task: Task): Promise<boolean> {
    const request = this.requestOf(task);
    const process = request === undefined ? undefined : this.#context.runtime.find(request);
    if (process === undefined) return false;
    await this.step(task.id, { kind: "launched", process });
    const launched = this.#context.roster.task(task.id);
    return launched !== undefined && processOf(launched) !== undefined && this.adopt(launched);
  }

  #repeatSignal(task: Task, process: ProcessRef): void {
    if (task.state.kind !== "stopping") return;
    if (task.state.killed) this.#context.runtime.kill(process);
    else this.#terminate(task, process);
  }

  /** Whoever is replaced leaves what outlives it to the next one. */
  #terminate({ service, state }: Task, process: ProcessRef): void {
    const { roster, runtime } = this.#context;
    const isOutlived = roster.service(service)?.config.outlived === true;
    const isReplaced = state.kind === "stopping" && REPLACED.includes(state.reason);
    runtime.terminate(process, isOutlived && isReplaced ? "SIGHUP" : "SIGTERM");
  }

  /** A process has ended by itself or because it was asked to. */
  async exited(id: string, nonce: string, exit: Exit): Promise<void> {
    const task = this.#context.roster.task(id);
    const process = task === undefined ? undefined : processOf(task);
    if (task === undefined || process?.nonce !== nonce) return;
    const livedMs = this.#context.now() - task.state.sinceMs;
    const tail = this.#context.runtime.logTail(process, TAIL_LINES);
    await this.step(id, { kind: "exited", exit, message: exitMessage(exit, livedMs, tail) });
  }

  /** Steps a task: record, event, deed. */
  async step(id: string, event: TaskEvent): Promise<void> {
    const { roster, runtime } = this.#context;
    const task = roster.task(id);
    if (task === undefined) return;
    const stepped = await roster.step(id, this.#worded(task, event));
    if (stepped === undefined) return;
    const { before, after } = stepped;
    this.#tell(before, after);
    const process = processOf(after);
    const effect = effectOf(before.state, after.state);
    if (process === undefined || effect === undefined) return;
    if (effect === "kill") runtime.kill(process);
    else this.#terminate(after, process);
  }

  /** The event with a message that names the task, its process and the end of its log, where that can tell why. */
  #worded(task: Task, event: TaskEvent): TaskEvent {
    if (!("message" in event) || event.message === undefined) return event;
    const process = processOf(task);
    const saysWhy = process !== undefined && !wasKilled(event);
    const tail = saysWhy ? this.#context.runtime.logTail(process, TAIL_LINES) : [];
    return { ...event, message: taskMessage(task.id, process, event.message, tail) };
  }

  #tell(before: Task, after: Task): void {
    const isNewFailure = after.lastFailure !== undefined && after.lastFailure !== before.lastFailure;
    const message = isNewFailure ? after.lastFailure.message : `task ${after.id} is ${after.state.kind}`;
    const kind = `task-${after.state.kind}`;
    this.tell({ kind, service: after.service, task: after.id, message, isBad: isNewFailure });
  }

  async #stepDeploy(name: string, step: DeployStep): Promise<void> {
    const { roster, now } = this.#context;
    const service = roster.service(name);
    if (service === undefined) return;
    const stepped = stepDeploy(service, step, now());
    await roster.putService(stepped);
    this.#tellDeploy(stepped);
  }

  #tellDeploy({ config, deploy }: Service): void {
    if (deploy === undefined) return;
    const message =
      deploy.message ?? `deploy of ${config.name} from ${deploy.from} to ${deploy.to}: ${deploy.status}`;
    this.tell({
      kind: `deploy-${deploy.status}`,
      service: config.name,
      message,
      isBad: deploy.status !== "succeeded",
    });
  }

  /** Puts an event into the list and the log. */
  tell(
    event: { kind: string; service: string; task?: string; message: string; isBad?: boolean },
    more: LogFields = {},
  ): void {
    const { isBad = false, ...told } = event;
    this.#context.events.add({ atMs: this.#context.now(), ...told });
    const { kind, ...words } = told;
    const fields = { ...words, ...more };
    if (isBad) this.#context.log.warn(kind, fields);
    else this.#context.log.info(kind, fields);
  }
}

/** Who is killed from outside has no last word. */
function wasKilled(event: TaskEvent): boolean {
  return event.kind === "exited" && event.exit.kind === "signal" && event.exit.signal === "SIGKILL";
}

function asWorker(request: LaunchRequest, worker: number): LaunchRequest {
  const command = request.command.map((word) => (word === WORKER_PLACEHOLDER ? String(worker) : word));
  return { ...request, command, worker };
}
