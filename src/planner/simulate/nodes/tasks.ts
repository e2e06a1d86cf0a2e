/**
 * The tasks of a service over time: started, ready, draining, gone. What the control plane does, reduced to its times.
 *
 *   starting -- startDelay --> ready -- drain --> draining -- nothing in flight --> gone
 *   ready -- killed --> gone, and a new one starts when the loss is noticed
 *
 * A task's number is never used again, so whoever remembers one cannot mean another.
 */
import { deployBounds } from "../../../config/index.ts";
import type { ServiceDesign } from "../design.ts";
import type { World } from "../world.ts";
import type { Server } from "./server.ts";

/** Where a task is in its life. */
export type TaskState = "starting" | "ready" | "draining" | "gone";

/** One copy of the app. */
export interface Task {
  readonly number: number;
  readonly zone: number;
  readonly revision: number;
  readonly server: Server;
  state: TaskState;
  readySinceMs: number;
  /** Takes requests and answers none. */
  partitioned: boolean;
  /** Requests that it holds. */
  admitted: number;
}

/** What the tasks need of their service. */
export interface TasksContext {
  readonly world: World;
  readonly createServer: (task: { readonly number: number }) => Server;
  /** The set of tasks that take requests changed. */
  readonly changed: () => void;
  /** A task is gone with all it held. */
  readonly lost: (task: Task) => void;
  /** The number of tasks that are paid for changed. */
  readonly counted: (by: number) => void;
}

/** From the end of a process to the controller's knowledge of it. */
const NOTICE_MS = 1000;

/** How often a deploy looks whether it may go on. */
const DEPLOY_STEP_MS = 250;

/** All tasks of one service. */
export class Tasks {
  readonly #design: ServiceDesign;
  readonly #context: TasksContext;
  readonly all: Task[] = [];
  /** Tasks that exist: starting, ready or draining. */
  living: Task[] = [];
  wanted: number;
  #revision = 1;
  deploying = false;

  constructor(design: ServiceDesign, context: TasksContext) {
    this.#design = design;
    this.#context = context;
    this.wanted = design.tasks;
  }

  /** The tasks of the very beginning: ready at once. */
  begin(): void {
    for (let i = 0; i < this.#design.tasks; i++) this.#ready(this.#create());
  }

  get ready(): Task[] {
    return this.living.filter((task) => task.state === "ready");
  }
  /** Those that are meant to stay. */
  get staying(): Task[] {
    return this.living.filter((task) => task.state === "starting" || task.state === "ready");
  }

  /** Starts or drains tasks until there are as many as wanted. */
  scaleTo(wanted: number): void {
    this.wanted = wanted;
    const { staying } = this;
    for (let missing = wanted - staying.length; missing > 0; missing--) this.#start();
    // The youngest go first, those that are not even ready before all others.
    for (const task of staying.toReversed().slice(0, Math.max(0, staying.length - wanted))) this.drain(task);
  }

  /** No new requests; gone when the last one has ended. */
  drain(task: Task): void {
    const wasReady = task.state === "ready";
    task.state = "draining";
    if (wasReady) this.#context.changed();
    this.leave(task);
  }

  /** To be called when a request of the task has ended. */
  leave(task: Task): void {
    if (task.state === "draining" && task.admitted === 0) this.#remove(task);
  }

  /** The process ends at once; what it held is lost. A new one starts when that was noticed. */
  kill(task: Task): void {
    if (task.state === "gone") return;
    task.state = "gone";
    this.#context.lost(task);
    this.#context.world.after(NOTICE_MS, () => {
      this.#remove(task);
      this.scaleTo(this.wanted);
    });
  }

  /** Rolling: new tasks beside the old, as many as the percentages allow (ECS arithmetic). */
  deploy(): void {
    if (this.deploying) return;
    this.deploying = true;
    this.#revision++;
    this.#context.world.every(DEPLOY_STEP_MS, () => this.#deployStep());
  }

  #deployStep(): boolean {
    const { min, max } = deployBounds(this.#design.deploy, this.wanted);
    const old = this.living.filter((task) => task.revision < this.#revision && task.state !== "draining");
    const fresh = this.staying.filter((task) => task.revision === this.#revision);
    if (old.length === 0 && fresh.every((task) => task.state === "ready")) {
      this.deploying = false;
      return false;
    }
    for (let room = max - this.living.length; room > 0 && fresh.length < this.wanted; room--)
      fresh.push(this.#start());
    let spare = this.ready.length - min;
    for (const task of old) if (spare-- > 0) this.drain(task);
    return true;
  }

  #start(): Task {
    const task = this.#create();
    this.#context.world.after(this.#design.startDelayMs, () => {
      if (task.state === "starting") this.#ready(task);
    });
    return task;
  }

  #create(): Task {
    const number = this.all.length;
    const task: Task = {
      number,
      zone: number % Math.max(1, this.#design.zones),
      revision: this.#revision,
      server: this.#context.createServer({ number }),
      state: "starting",
      readySinceMs: 0,
      partitioned: false,
      admitted: 0,
    };
    this.all.push(task);
    this.living.push(task);
    this.#context.counted(1);
    return task;
  }

  #ready(task: Task): void {
    task.state = "ready";
    task.readySinceMs = this.#context.world.nowMs;
    this.#context.changed();
  }

  #remove(task: Task): void {
    if (!this.living.includes(task)) return;
    task.state = "gone";
    this.living = this.living.filter((other) => other !== task);
    this.#context.counted(-1);
    this.#context.changed();
  }
}
