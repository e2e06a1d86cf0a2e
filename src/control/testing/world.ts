/**
 * One service in an imaginary world: processes that start, fail, hang and end as a seed says, a data plane that
 * acknowledges late, and time that moves in ticks. It obeys `reconcile` and checks, tick by tick, what must always hold.
 */
import { type Random, seededRandom } from "../../base/index.ts";
import { deployBounds, type ServiceConfig } from "../../config/index.ts";
import { isUnderWay } from "../deploy.ts";
import { reconcile } from "../reconcile.ts";
import { beginDeploy, createService, type Service, stepDeploy, withConfig } from "../service.ts";
import { createTask, effectOf, isStaying, step, type Task, type TaskEvent } from "../task.ts";
import type { Action, Goal, TaskSignals } from "../view.ts";
import { processRef, serviceConfig } from "./builders.ts";

/** What the processes of one revision do. */
export interface Behaviour {
  /** Longest time until ready; the real one is random below it. Infinity = never ready. */
  readonly readyMs: number;
  /** Chance to die in any one tick. */
  readonly deathPerTick: number;
}

export const WELL: Behaviour = { readyMs: 3000, deathPerTick: 0 };

const TICK_MS = 250;

/** Ticks until the data plane acknowledges, at most. */
const ACK_TICKS_MAX = 4;
/** Longest time from SIGTERM to the end; above the grace, so that some are killed. */
const EXIT_MS_MAX = 12_000;

interface Process {
  readonly readyAtMs: number;
  exitAtMs: number;
}

export class World {
  service: Service;
  tasks: Task[] = [];
  nowMs = 0;
  goal: Goal = "run";
  /** "waiting" for ever: the data plane cannot be reached. */
  reachable = true;
  /** Behaviour by number of deploys: index 0 is the first revision. */
  readonly behaviours: Behaviour[];
  /** What went against the rules, in words. */
  readonly offences: string[] = [];
  readonly #random: Random;
  readonly #processes = new Map<string, Process>();
  readonly #ackAtMs = new Map<string, number>();
  #pid = 1;

  constructor(seed: number, config: Partial<ServiceConfig> = {}, behaviours: Behaviour[] = [WELL, WELL]) {
    this.#random = seededRandom(seed);
    this.service = createService(serviceConfig(config));
    this.behaviours = behaviours;
  }

  deploy(): void {
    const config = { ...this.service.config, env: { VERSION: String(this.service.deploys + 1) } };
    this.service = beginDeploy(withConfig(this.service, config), "requested", this.nowMs);
  }

  scale(wanted: number): void {
    this.service = { ...this.service, wanted };
  }

  /** Moves on by so many seconds. */
  run(seconds: number): this {
    for (let tick = 0; tick < (seconds * 1000) / TICK_MS; tick += 1) this.#tick();
    return this;
  }

  /** Healthy tasks per revision, current first. */
  healthy(revision?: string): number {
    const serving = this.tasks.filter((task) => task.state.kind === "healthy");
    return serving.filter((task) => revision === undefined || task.revision === revision).length;
  }

  #tick(): void {
    this.nowMs += TICK_MS;
    this.#live();
    const healthyBefore = this.healthy();
    const { service, goal, tasks, nowMs } = this;
    const actions = reconcile({ service, goal, tasks, nowMs, signals: (task) => this.#signals(task) });
    for (const action of actions) this.#obey(action);
    this.#check(healthyBefore);
  }

  /** Processes become ready and die. */
  #live(): void {
    for (const task of this.tasks) {
      const process = this.#processes.get(task.id);
      if (process === undefined) continue;
      if (task.state.kind === "starting" && this.nowMs >= process.readyAtMs)
        this.#step(task, { kind: "ready" });
      const dies = this.#random() < this.#behaviour(task).deathPerTick;
      if (dies || this.nowMs >= process.exitAtMs) this.#exit(task);
    }
  }

  #exit(task: Task): void {
    this.#processes.delete(task.id);
    this.#step(task, { kind: "exited", exit: { kind: "code", code: 1 } });
  }

  #behaviour(task: Task): Behaviour {
    const deploys = Number(task.revision.slice(1, task.revision.indexOf("-")));
    return this.behaviours[deploys - 1] ?? WELL;
  }

  #signals(task: Task): TaskSignals {
    const acked = this.reachable && this.nowMs >= (this.#ackAtMs.get(task.id) ?? Number.POSITIVE_INFINITY);
    const inFlight = this.#random() < 0.3 ? 0 : 5;
    return { drainAcked: acked ? "all" : "waiting", inFlight, unhealthyForMs: 0 };
  }

  #obey(action: Action): void {
    switch (action.kind) {
      case "create":
        return this.#create(action.revision);
      case "launch":
        return this.#launch(action.task);
      case "step":
        return this.#step(action.task, action.event);
      case "retry":
        return this.#step(action.task, { kind: "backoff-over", nonce: "n" });
      case "forget":
        this.tasks = this.tasks.filter((task) => task.id !== action.task.id);
        return;
      case "deploy":
        this.service = stepDeploy(this.service, action.step, this.nowMs);
    }
  }

  #create(revision: string): void {
    const id = `web/${this.service.nextTask}`;
    this.service = { ...this.service, nextTask: this.service.nextTask + 1 };
    this.tasks = [
      ...this.tasks,
      createTask(id, "web", revision, { kind: "pending", sinceMs: this.nowMs, nonce: "n" }),
    ];
  }

  #launch(task: Task): void {
    const readyAtMs = this.nowMs + this.#behaviour(task).readyMs * this.#random();
    this.#processes.set(task.id, { readyAtMs, exitAtMs: Number.POSITIVE_INFINITY });
    this.#step(task, { kind: "launched", process: processRef(this.#pid++) });
  }

  #step(old: Task, event: TaskEvent): void {
    const index = this.tasks.findIndex((task) => task.id === old.id);
    const before = this.tasks[index];
    if (before === undefined) return;
    const after = step(before, event, { nowMs: this.nowMs, random: this.#random });
    this.tasks = this.tasks.with(index, after);
    this.#follow(before, after);
  }

  /** What the world does when a task enters a state. */
  #follow(before: Task, after: Task): void {
    if (after.state.kind === "draining" && before.state.kind !== "draining") {
      this.#ackAtMs.set(after.id, this.nowMs + TICK_MS * Math.ceil(ACK_TICKS_MAX * this.#random()));
    }
    const effect = effectOf(before.state, after.state);
    const process = this.#processes.get(after.id);
    if (effect === undefined || process === undefined) return;
    if (
      before.state.kind === "draining" &&
      this.nowMs < (this.#ackAtMs.get(after.id) ?? Number.POSITIVE_INFINITY)
    ) {
      this.offences.push(`${after.id} was signalled before its drain was acknowledged`);
    }
    process.exitAtMs = effect === "kill" ? this.nowMs : this.nowMs + EXIT_MS_MAX * this.#random();
  }

  #check(healthyBefore: number): void {
    if (!isUnderWay(this.service.deploy)) return;
    const { wanted, config } = this.service;
    const { min, max } = deployBounds(config.deploy, wanted);
    const there = this.tasks.filter((task) => task.state.kind !== "stopped").length;
    if (there > max) this.offences.push(`${there} tasks at ${this.nowMs} ms, at most ${max} are allowed`);
    const healthy = this.healthy();
    if (healthy < healthyBefore && healthy < min) {
      this.offences.push(`${healthy} healthy tasks at ${this.nowMs} ms, ${min} are promised`);
    }
  }

  /** Tasks that are meant to stay. */
  staying(): Task[] {
    return this.tasks.filter(isStaying);
  }
}
