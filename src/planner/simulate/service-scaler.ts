/**
 * Autoscaling of one simulated service: collects what the controller would see, asks the autoscaler, obeys.
 *
 * Requests in flight are read ten times a second and averaged, CPU is a task's mean over ten seconds, as in `control`.
 */
import { CPU_WINDOW_MS, type Observed, type TaskSample } from "../../scaling/index.ts";
import type { Autoscaler } from "./autoscaler.ts";
import type { Service } from "./nodes/service.ts";
import type { Task } from "./nodes/tasks.ts";
import type { ScaleEvent } from "./result.ts";
import type { World } from "./world.ts";

/** Time between two readings of requests in flight, the controller's. */
const SAMPLE_MS = 100;

/** CPU is read once a second, and the mean taken over as many readings as the window has. */
const CPU_READ_MS = 1000;
const CPU_READINGS = CPU_WINDOW_MS / CPU_READ_MS;

/** What a scaler works with. */
export interface ServiceScalerContext {
  readonly world: World;
  readonly service: Service;
  readonly autoscaler: Autoscaler;
  /** Requests in flight to the service, those that wait for a connection included. */
  readonly inFlight: () => number;
  readonly changed: (event: ScaleEvent) => void;
}

/** Core-milliseconds of one task at the last readings, oldest first. */
type Readings = number[];

/** One service with its autoscaler. */
export class ServiceScaler {
  /** It sees nothing: the signals are lost. */
  blind = false;
  readonly #context: ServiceScalerContext;
  readonly #cpu = new Map<number, Readings>();
  #sum = 0;
  #count = 0;

  constructor(context: ServiceScalerContext) {
    this.#context = context;
    const { world, autoscaler } = context;
    world.every(SAMPLE_MS, () => this.#sample());
    world.every(CPU_READ_MS, () => this.#readCpu());
    world.every(autoscaler.periodMs, () => this.#decide());
  }

  #sample(): void {
    this.#sum += this.#context.inFlight();
    this.#count++;
  }

  #readCpu(): void {
    const { living } = this.#context.service.tasks;
    for (const { number, server } of living) {
      const readings = this.#cpu.get(number) ?? [];
      readings.push(server.workedMs);
      if (readings.length > CPU_READINGS + 1) readings.shift();
      this.#cpu.set(number, readings);
    }
    const numbers = new Set(living.map(({ number }) => number));
    for (const number of this.#cpu.keys()) if (!numbers.has(number)) this.#cpu.delete(number);
  }

  #decide(): void {
    const { world, service, autoscaler, changed } = this.#context;
    const wanted = autoscaler.step(this.#observe(), world.nowMs);
    const from = service.tasks.wanted;
    if (wanted === from) return;
    service.tasks.scaleTo(wanted);
    changed({ atMs: world.nowMs, node: service.name, from, to: wanted });
  }

  #observe(): Observed {
    const { tasks } = this.#context.service;
    const inFlight = this.#count === 0 ? undefined : this.#sum / this.#count;
    this.#sum = 0;
    this.#count = 0;
    return {
      wanted: tasks.wanted,
      deploying: tasks.deploying,
      tasks: tasks.staying.map((task) => this.#taskSample(task)),
      ...(this.blind || inFlight === undefined ? {} : { inFlight }),
    };
  }

  #taskSample(task: Task): TaskSample {
    const ready = task.state === "ready";
    const ageMs = ready ? this.#context.world.nowMs - task.readySinceMs : 0;
    const cpu = this.blind ? undefined : this.#cpuOf(task.number);
    return cpu === undefined ? { ready, ageMs } : { ready, ageMs, cpu };
  }

  /** Share of the task's cores, over the readings there are; undefined until there are two. */
  #cpuOf(number: number): number | undefined {
    const readings = this.#cpu.get(number) ?? [];
    const [first, last] = [readings[0], readings.at(-1)];
    if (first === undefined || last === undefined || readings.length < 2) return undefined;
    const spanMs = (readings.length - 1) * CPU_READ_MS;
    return Math.min(1, (last - first) / spanMs / this.#context.service.design.cores);
  }
}
