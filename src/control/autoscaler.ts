/**
 * Autoscaling of all services: collects what the rule needs, runs it once a second, keeps every decision.
 *
 * Requests in flight are read ten times a second and averaged, so that one decision sees the mean concurrency of its
 * second (Little's law) and not what one instant happened to show.
 */
import {
  type Decision,
  decide,
  initialMemory,
  type Observed,
  type ScaleMemory,
  setByHand,
} from "../scaling/index.ts";
import { CpuMeter } from "./cpu-meter.ts";
import { isUnderWay } from "./deploy.ts";
import type { ProcessRef } from "./runtime.ts";
import type { Service } from "./service.ts";
import { isStaying, processOf, type Task } from "./task.ts";

/** Time between two decisions. */
export const DECIDE_MS = 1000;

/** Time between two readings of requests in flight. */
export const SAMPLE_MS = 100;

/** Decisions kept per service: more than three minutes, each with its inputs. */
const DECISIONS_MAX = 200;

/** Readings of the outside world. */
export interface Gauges {
  /** Requests in flight to a service's group, waiting ones included; undefined = the signal is lost. */
  inFlight(service: Service): number | undefined;
  /** What the URL of a backlog says; undefined = it does not answer. */
  backlog(url: string): number | undefined;
  /** CPU seconds that a process has used so far; undefined = not measured. */
  cpuSeconds(process: ProcessRef): number | undefined;
}

interface Scaled {
  memory: ScaleMemory;
  sum: number;
  count: number;
  decisions: Decision[];
}

/** The autoscaler of one controller. Times are the controller's clock. */
export class Autoscaler {
  readonly #gauges: Gauges;
  readonly #services = new Map<string, Scaled>();
  /** By nonce: a task that was restarted is another process. */
  readonly #cpu = new CpuMeter();

  constructor(gauges: Gauges) {
    this.#gauges = gauges;
  }

  /** Reads the requests in flight of every service that scales by itself. */
  sample(services: Iterable<Service>, nowMs: number): void {
    for (const service of services) {
      if (service.config.autoscale === undefined) continue;
      const scaled = this.#scaled(service, nowMs);
      const inFlight = this.#gauges.inFlight(service);
      if (inFlight === undefined) continue;
      scaled.sum += inFlight;
      scaled.count += 1;
    }
  }

  /** Reads the CPU of every task; to be called before `decide`. */
  readCpu(tasks: readonly Task[], nowMs: number): void {
    const processes = tasks.map(processOf).filter((process) => process !== undefined);
    for (const process of processes) {
      const seconds = this.#gauges.cpuSeconds(process);
      if (seconds !== undefined) this.#cpu.read(process.nonce, seconds, nowMs);
    }
    this.#cpu.keep(new Set(processes.map((process) => process.nonce)));
  }

  /** Decides for one service; undefined when it does not scale by itself. */
  decide(service: Service, tasks: readonly Task[], nowMs: number): Decision | undefined {
    const policy = service.config.autoscale;
    if (policy === undefined) return undefined;
    const scaled = this.#scaled(service, nowMs);
    const observed = this.#observe(service, tasks, scaled, nowMs);
    const { decision, memory } = decide(observed, policy, scaled.memory, nowMs);
    const decisions = [...scaled.decisions, decision].slice(-DECISIONS_MAX);
    this.#services.set(service.config.name, { memory, sum: 0, count: 0, decisions });
    return decision;
  }

  #observe(service: Service, tasks: readonly Task[], scaled: Scaled, nowMs: number): Observed {
    const staying = tasks.filter(isStaying);
    const source = service.config.autoscale?.backlog;
    const backlog = source === undefined ? undefined : this.#gauges.backlog(source.url);
    return {
      wanted: service.wanted,
      deploying: isUnderWay(service.deploy),
      tasks: staying.map((task) => this.#taskSample(task, service, nowMs)),
      ...(backlog === undefined ? {} : { backlog }),
      ...(scaled.count === 0 ? {} : { inFlight: scaled.sum / scaled.count }),
    };
  }

  #taskSample(task: Task, service: Service, nowMs: number): Observed["tasks"][number] {
    const cores = this.cores(task);
    const ready = task.state.kind === "healthy";
    const sample = { ready, ageMs: ready ? nowMs - task.state.sinceMs : 0 };
    return cores === undefined ? sample : { ...sample, cpu: cores / (service.config.limits.cpu ?? 1) };
  }

  /** Cores that a task used over the last ten seconds; undefined until it was measured twice. */
  cores(task: Task): number | undefined {
    return this.#cpu.cores(processOf(task)?.nonce ?? "");
  }

  /** Somebody set the number of tasks by hand: what was decided so far stays, and that number holds for a while. */
  setByHand(service: Service, nowMs: number): void {
    const scaled = this.#scaled(service, nowMs);
    scaled.memory = setByHand(scaled.memory, service.wanted, nowMs);
  }

  /** The last decisions of a service, oldest first. */
  decisions(service: string): readonly Decision[] {
    return this.#services.get(service)?.decisions ?? [];
  }

  /** Forgets services that are gone. */
  forget(service: string): void {
    this.#services.delete(service);
  }

  #scaled(service: Service, nowMs: number): Scaled {
    const { name } = service.config;
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    const fresh = { memory: initialMemory(service.wanted, nowMs), sum: 0, count: 0, decisions: [] };
    this.#services.set(name, fresh);
    return fresh;
  }
}
