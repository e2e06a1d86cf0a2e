/**
 * The controller: keeps services at their wanted number of healthy tasks, deploys, scales, and publishes snapshots.
 *
 * One loop, woken by time and by events, does the same each time: take what happened, reconcile every service, carry
 * out the actions, publish. All its work is serial, so no two decisions ever cross. It never stands in the way of a
 * request: when it is killed the gateway and the tasks go on, and the next controller adopts them from the journal.
 *
 * Everything outside (processes, sockets, files, time, chance) is an argument.
 */
import type { Cancel, Clock, Log, LogFields, Random, Scheduler } from "../base/index.ts";
import type { Address, Config, HealthConfig } from "../config/index.ts";
import type { CheckResult } from "../health/index.ts";
import type { Decision } from "../scaling/index.ts";
import { Autoscaler, DECIDE_MS, SAMPLE_MS } from "./autoscaler.ts";
import type { DataPlane } from "./data-plane.ts";
import { isUnderWay } from "./deploy.ts";
import { type ControlEvent, EventLog } from "./event-log.ts";
import { Executor } from "./executor.ts";
import { Ledger } from "./ledger.ts";
import { lateMessage, WORKER_NOT_READY } from "./messages.ts";
import { nonceOf } from "./nonce.ts";
import { Publisher } from "./publisher.ts";
import { Readiness, readinessChecks } from "./readiness.ts";
import { reconcile } from "./reconcile.ts";
import { reportStatus } from "./report.ts";
import { deployRequest, type RequestOutcome, scaleRequest } from "./requests.ts";
import { Roster } from "./roster.ts";
import type { Runtime } from "./runtime.ts";
import { SerialQueue } from "./serial-queue.ts";
import { beginDeploy, createService, needsDeploy, type Service, withConfig } from "./service.ts";
import type { StateStore } from "./state-store.ts";
import type { Status } from "./status.ts";
import { resumed, type Task } from "./task.ts";
import type { Goal, TaskSignals } from "./view.ts";
import { WorkerWatch } from "./worker-watch.ts";
import { GATEWAY, gatewayService, type WorkerSet } from "./workers.ts";

/** How often everything is looked at, events or not. */
const TICK_MS = 250;

/** How often while a task drains: nobody tells when the last worker has acknowledged or the last request is done. */
const DRAINING_TICK_MS = 25;

/** What a controller runs on. The caller holds the lock of the state directory and owns store and runtime. */
export interface ControllerContext {
  readonly config: Config;
  readonly workers: WorkerSet;
  readonly store: StateStore;
  readonly runtime: Runtime;
  readonly dataPlane: DataPlane;
  /** One readiness check; answers within the policy's timeout and never rejects (`probe` of health/io). */
  readonly probe: (address: Address, policy: HealthConfig) => Promise<CheckResult>;
  /** The number that the URL of a backlog says, as far as it is known and not old (`BacklogReader` of control/io). */
  readonly backlog: (url: string) => number | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: Log;
}

/** Owns the services and tasks of one state directory. `start` first; then `stop` (all goes on) or `down` (all ends). */
export class Controller {
  readonly #context: ControllerContext;
  readonly #ledger: Ledger;
  readonly #roster: Roster;
  readonly #executor: Executor;
  readonly #readiness: Readiness;
  readonly #autoscaler: Autoscaler;
  readonly #watch = new WorkerWatch();
  readonly #events = new EventLog();
  readonly #queue: SerialQueue;
  readonly #now: () => number;
  #publisher: Publisher | undefined;
  #config: Config;
  #workers: WorkerSet;
  #phase: Status["phase"] = "running";
  #problem: string | undefined;
  readonly #timers = new Set<Cancel>();
  #soon: Cancel | undefined;
  #decisionDue = false;
  readonly #whenDown = Promise.withResolvers<void>();

  constructor(context: ControllerContext) {
    const { clock, random, runtime, scheduler, log } = context;
    this.#context = context;
    this.#config = context.config;
    this.#workers = context.workers;
    // Wall time as it was at start, moved on by the monotonic clock: readable later, and it never jumps.
    const originMs = clock.wallMs() - clock.nowMs();
    this.#now = () => originMs + clock.nowMs();
    this.#ledger = new Ledger(context.store);
    this.#roster = new Roster({ ledger: this.#ledger, now: this.#now, random });
    this.#queue = new SerialQueue(
      () => this.#round(),
      (problem) => this.#failed(problem),
    );
    this.#readiness = new Readiness(scheduler, (task) =>
      this.#queue.add(() => this.#executor.step(task, { kind: "ready" })),
    );
    this.#executor = new Executor({
      roster: this.#roster,
      runtime,
      events: this.#events,
      log,
      now: this.#now,
      nonce: () => nonceOf(random),
      onExit: (task, nonce, exit) => this.#queue.add(() => this.#executor.exited(task, nonce, exit)),
    });
    this.#autoscaler = new Autoscaler({
      inFlight: (service) => this.#publisher?.groupInFlight(service.config.targetGroup),
      backlog: context.backlog,
      cpuSeconds: (process) => runtime.cpuSeconds(process),
    });
  }

  /** Takes up what an earlier controller left, applies the config, publishes, and begins to reconcile. */
  async start(): Promise<void> {
    await this.#queue.run(() => this.#takeUp());
    this.#every(TICK_MS, () => this.#queue.wake());
    this.#every(SAMPLE_MS, () => this.#autoscaler.sample(this.#roster.services(), this.#now()));
    this.#every(DECIDE_MS, () => {
      this.#decisionDue = true;
      this.#queue.wake();
    });
  }

  async #takeUp(): Promise<void> {
    const records = await this.#ledger.load();
    this.#publisher = new Publisher(this.#context.dataPlane, this.#ledger, records);
    this.#roster.load({ ...records, tasks: records.tasks.map((task) => resumed(task, this.#now())) });
    await this.#adoptAll();
    await this.#applyConfig();
  }

  /** Stops controlling; gateway and tasks go on. */
  async stop(): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.#soon?.();
    this.#readiness.stop();
    await this.#queue.close();
    this.#context.runtime.close();
  }

  /** Ends the gateway's workers, then all tasks; resolves when nothing that was started here runs any more. */
  async down(): Promise<void> {
    if (this.#phase === "running") this.#phase = "going-down";
    this.#queue.wake();
    await this.#whenDown.promise;
  }

  /** Applies a validated config: live settings at once, changed commands by a deploy, removed services by a drain. */
  reload(config: Config, workers: WorkerSet = this.#workers): Promise<void> {
    return this.#queue.run(async () => {
      this.#config = config;
      this.#workers = workers;
      await this.#applyConfig();
    });
  }

  /**
   * Replaces all tasks of a service, its config changed or not; `GATEWAY` replaces the workers. Resolves when the
   * deploy has begun; see `status` for how it goes.
   */
  deploy(name: string): Promise<RequestOutcome> {
    return this.#queue.run(() => {
      const service = name === GATEWAY ? this.#roster.service(name) : this.#known(name);
      return this.#request(deployRequest(service, name, this.#now()));
    });
  }

  /** Asks for another number of tasks; the autoscaler goes on from there, within its bounds. */
  scale(name: string, wanted: number): Promise<RequestOutcome> {
    return this.#queue.run(() => {
      const request = scaleRequest(this.#known(name), name, wanted);
      if (request.service !== undefined) this.#autoscaler.setByHand(request.service, this.#now());
      return this.#request(request);
    });
  }

  /**
   * Takes a target out of its group by hand, or back in: it gets no new requests, and goes on running. `target` is its
   * address, "127.0.0.1:20003". It is done when `status` says so: the snapshot acknowledged, nothing in flight.
   */
  drain(group: string, target: string, undo = false): Promise<RequestOutcome> {
    return this.#queue.run(async () => this.#publisher?.drain(group, target, undo) ?? NOT_STARTED);
  }

  /** Puts a word of the composition root's among the events; `fields` are for the log alone. */
  note(kind: string, message: string, fields: LogFields = {}): void {
    this.#executor.tell({ kind, service: GATEWAY, message }, fields);
  }
  /** The same for what somebody should look at. */
  warn(kind: string, message: string): void {
    this.#executor.tell({ kind, service: GATEWAY, message, isBad: true });
  }

  /** Everything there is to tell, as plain data. */
  status(): Status {
    return reportStatus({
      roster: this.#roster,
      publisher: this.#publisher,
      autoscaler: this.#autoscaler,
      readiness: this.#readiness,
      signals: (task, service) => this.#signals(task, service),
      isConfigured: (name) => this.#isConfigured(name),
      phase: this.#phase,
      problem: this.#problem,
    });
  }

  /** The last autoscaling decisions of a service, oldest first. */
  decisions(service: string): readonly Decision[] {
    return this.#autoscaler.decisions(service);
  }

  /** What happened lately, oldest first; only what came after the event with number `after`. */
  events(after = 0): readonly ControlEvent[] {
    return this.#events.list(after);
  }

  #known(name: string): Service | undefined {
    return this.#isConfigured(name) && name !== GATEWAY ? this.#roster.service(name) : undefined;
  }

  async #request(request: {
    readonly outcome: RequestOutcome;
    readonly service?: Service;
  }): Promise<RequestOutcome> {
    const { outcome, service } = request;
    if (service !== undefined) await this.#roster.putService(service);
    if (service !== undefined) {
      this.#executor.tell({ kind: "requested", service: service.config.name, message: outcome.message });
    }
    return outcome;
  }

  async #adoptAll(): Promise<void> {
    let adopted = 0;
    for (const task of this.#roster.tasks()) if (await this.#executor.adopt(task)) adopted += 1;
    const known = this.#roster.tasks().length;
    if (known > 0) this.#context.log.info("tasks-adopted", { adopted, known });
  }

  async #applyConfig(): Promise<void> {
    for (const config of [gatewayService(this.#workers), ...this.#config.services]) {
      const known = this.#roster.service(config.name);
      const service = known === undefined ? createService(config) : withConfig(known, config);
      await this.#roster.putService(
        needsDeploy(service) ? beginDeploy(service, "config-changed", this.#now()) : service,
      );
    }
  }

  #isConfigured(name: string): boolean {
    return name === GATEWAY || this.#config.services.some((service) => service.name === name);
  }

  /** One look at everything. True when something was done, so that it is worth looking again at once. */
  async #round(): Promise<boolean> {
    let acted = false;
    if (this.#decisionDue) await this.#autoscale();
    this.#decisionDue = false;
    await this.#exchangeSilentWorkers();
    for (const service of this.#roster.services()) acted = (await this.#reconcile(service)) || acted;
    await this.#publish();
    this.#readiness.follow(readinessChecks(this.#roster, this.#context));
    this.#problem = undefined;
    if (this.#roster.tasks().some((task) => task.state.kind === "draining")) this.#wakeSoon();
    if (this.#phase === "going-down" && this.#roster.tasks().length === 0) await this.#finishDown();
    return acted;
  }

  async #exchangeSilentWorkers(): Promise<void> {
    const gateway = this.#roster.service(GATEWAY);
    const isHeard = (pid: number): boolean => this.#context.dataPlane.workerReady(pid);
    const isOverdue = this.#watch.isOverdue(this.#roster.tasksOf(GATEWAY), isHeard, this.#now());
    if (gateway === undefined || !isOverdue || isUnderWay(gateway.deploy) || this.#phase !== "running")
      return;
    this.warn("workers-silent", "a gateway worker is not heard of: new ones take over");
    await this.#request(deployRequest(gateway, GATEWAY, this.#now()));
  }

  #wakeSoon(): void {
    this.#soon ??= this.#context.scheduler.after(DRAINING_TICK_MS, () => {
      this.#soon = undefined;
      this.#queue.wake();
    });
  }

  async #reconcile(service: Service): Promise<boolean> {
    const { name } = service.config;
    const tasks = this.#roster.tasksOf(name);
    const goal = this.#goalOf(service);
    if (goal === "remove" && tasks.length === 0) await this.#removeService(name);
    const signals = (task: Task): TaskSignals => this.#signals(task, service);
    const actions = reconcile({ service, goal, tasks, signals, nowMs: this.#now() });
    for (const action of actions) await this.#executor.run(name, action);
    return actions.length > 0;
  }

  /** The workers go first: they finish what is in flight while the tasks still serve it. Then one stage after the other. */
  #goalOf(service: Service): Goal {
    const { name } = service.config;
    if (this.#phase === "running") return this.#isConfigured(name) ? "run" : "remove";
    const before = this.#roster.services().filter((other) => stageOf(other) < stageOf(service));
    const isTurn = before.every((other) => this.#roster.tasksOf(other.config.name).length === 0);
    return isTurn ? "down" : "run";
  }

  async #removeService(name: string): Promise<void> {
    await this.#roster.removeService(name);
    this.#autoscaler.forget(name);
    this.#executor.tell({ kind: "service-removed", service: name, message: `service ${name} is gone` });
  }

  #signals(task: Task, service: Service): TaskSignals {
    if (task.service === GATEWAY) {
      const message = lateMessage(WORKER_NOT_READY, service.config.startTimeoutMs);
      return { drainAcked: "all", inFlight: 0, unhealthyForMs: 0, notReady: message };
    }
    const { drainAcked, ...rest } = this.#publisher?.signals(task, this.#now()) ?? NO_SIGNALS;
    const noWorkers = this.#phase !== "running" && this.#roster.tasksOf(GATEWAY).length === 0;
    const answer = this.#readiness.lastAnswer(task.id);
    return {
      ...rest,
      drainAcked: noWorkers ? "no-workers" : drainAcked,
      ...(answer === undefined ? {} : { notReady: lateMessage(answer, service.config.startTimeoutMs) }),
    };
  }

  async #publish(): Promise<void> {
    const published = await this.#publisher?.publish(this.#config, this.#roster.tasks());
    if (published?.kind === "published") {
      this.#context.log.debug("snapshot-published", { revision: published.snapshot.revision });
    }
    if (published?.kind === "refused") throw new Error(`no snapshot can be made: ${published.message}`);
  }

  async #autoscale(): Promise<void> {
    if (this.#phase !== "running") return;
    this.#autoscaler.readCpu(this.#roster.tasks(), this.#now());
    for (const service of this.#roster.services()) {
      const { name } = service.config;
      const decision = this.#autoscaler.decide(service, this.#roster.tasksOf(name), this.#now());
      if (decision === undefined || decision.result === service.wanted || !this.#isConfigured(name)) continue;
      await this.#roster.putService({ ...service, wanted: decision.result });
      const message = `${name} goes from ${service.wanted} to ${decision.result} tasks: ${decision.reason}`;
      this.#executor.tell({ kind: `scaled-${decision.direction}`, service: name, message });
    }
  }

  async #finishDown(): Promise<void> {
    for (const service of this.#roster.services()) await this.#roster.removeService(service.config.name);
    this.#phase = "down";
    this.#whenDown.resolve();
  }

  #every(ms: number, run: () => void): void {
    let cancel: Cancel = () => {};
    const again = (): void => {
      this.#timers.delete(cancel);
      cancel = this.#context.scheduler.after(ms, () => {
        again();
        run();
      });
      this.#timers.add(cancel);
    };
    again();
  }

  #failed(problem: unknown): void {
    const message = problem instanceof Error ? problem.message : String(problem);
    if (message !== this.#problem) this.#context.log.error("control-round-failed", { problem });
    this.#problem = message;
  }
}

function stageOf({ config }: Service): number {
  return config.name === GATEWAY ? -1 : (config.stage ?? 0);
}

const NOT_STARTED: RequestOutcome = {
  kind: "refused",
  reason: "unknown-target",
  message: "the controller has not started yet",
};

const NO_SIGNALS: TaskSignals = { drainAcked: "waiting", inFlight: 0, unhealthyForMs: 0 };
