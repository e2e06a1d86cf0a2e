/**
 * The roster: all services and tasks of one controller, in memory and in the ledger.
 *
 * Every change is written first and visible after: what the controller acts on is what a successor will find.
 */
import type { Random } from "../base/index.ts";
import type { Ledger, Records } from "./ledger.ts";
import { pruneRevisions, type Service } from "./service.ts";
import { createTask, step, type Task, type TaskEvent } from "./task.ts";

/** What the roster writes to, and the time and chance that its tasks step by. */
export interface RosterContext {
  readonly ledger: Ledger;
  /** The controller's clock. */
  readonly now: () => number;
  readonly random: Random;
}

/** A task before and after an event. */
export interface Stepped {
  readonly before: Task;
  readonly after: Task;
}

/** Services by name, tasks by id. */
export class Roster {
  readonly #context: RosterContext;
  readonly #services = new Map<string, Service>();
  readonly #tasks = new Map<string, Task>();

  constructor(context: RosterContext) {
    this.#context = context;
  }

  /** Takes up what an earlier controller left. */
  load(records: Records): void {
    for (const service of records.services) this.#services.set(service.config.name, service);
    for (const task of records.tasks) this.#tasks.set(task.id, task);
  }

  services(): readonly Service[] {
    return [...this.#services.values()];
  }

  service(name: string): Service | undefined {
    return this.#services.get(name);
  }

  tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  task(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  /** The tasks of one service, oldest first. */
  tasksOf(service: string): readonly Task[] {
    return this.tasks().filter((task) => task.service === service);
  }

  async putService(service: Service): Promise<void> {
    const { name } = service.config;
    const pruned = pruneRevisions(service, new Set(this.tasksOf(name).map((task) => task.revision)));
    await this.#context.ledger.putService(name, pruned);
    this.#services.set(name, pruned);
  }

  async removeService(name: string): Promise<void> {
    await this.#context.ledger.deleteService(name);
    this.#services.delete(name);
  }

  /** Makes a new task of a revision. Its number is taken before it exists, so that none is ever used twice. */
  async create(service: Service, revision: string, nonce: string): Promise<Task> {
    const { name } = service.config;
    await this.putService({ ...service, nextTask: service.nextTask + 1 });
    const pending = { kind: "pending", sinceMs: this.#context.now(), nonce } as const;
    const task = createTask(`${name}/${service.nextTask}`, name, revision, pending);
    await this.replace(task);
    return task;
  }

  /** Steps a task's state machine; undefined when there is no such task or the event means nothing to it. */
  async step(id: string, event: TaskEvent): Promise<Stepped | undefined> {
    const before = this.#tasks.get(id);
    if (before === undefined) return undefined;
    const after = step(before, event, { nowMs: this.#context.now(), random: this.#context.random });
    if (after === before) return undefined;
    await this.replace(after);
    return { before, after };
  }

  /** Writes a task as it is given. */
  async replace(task: Task): Promise<void> {
    await this.#context.ledger.putTask(task);
    this.#tasks.set(task.id, task);
  }

  async forget(id: string): Promise<void> {
    await this.#context.ledger.deleteTask(id);
    this.#tasks.delete(id);
  }
}
