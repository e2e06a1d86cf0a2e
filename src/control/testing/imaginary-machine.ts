/**
 * A machine that exists in memory: processes that outlive controllers, simulated time, a data plane, a store. A
 * controller on it can be killed at any write, and a new one started.
 */
import {
  type Clock,
  createLog,
  type Scheduler,
  type SimulatedTime,
  seededRandom,
  simulatedTime,
} from "../../base/index.ts";
import type { Config } from "../../config/index.ts";
import type { CheckResult } from "../../health/index.ts";
import { Controller } from "../controller.ts";
import { KeySpace } from "../key-space.ts";
import type { Exit, LaunchRequest, LaunchResult, ProcessRef, Runtime } from "../runtime.ts";
import type { StateStore } from "../state-store.ts";
import { MemoryDataPlane } from "./memory-data-plane.ts";
import { memoryStore } from "./memory-store.ts";
import { SLEEPERS } from "./site.ts";

/** How long an imaginary app takes from launch until it listens, and from SIGTERM until it is gone. */
const START_MS = 300;
const EXIT_MS = 200;

/** Simulated time moves in steps of this. */
const STEP_MS = 50;

interface Living {
  readonly task: string;
  readonly process: ProcessRef;
  readonly listensAtMs: number;
  onExit: (exit: Exit) => void;
}

/** What a killed controller could still do: nothing. */
interface Generation {
  alive: boolean;
  readonly controller: Controller;
}

/** A SIGKILL during the n-th write (from 1), before or after it has become durable. */
interface Death {
  readonly atWrite: number;
  readonly written: boolean;
}

/** One machine, and one controller on it at a time. */
export class ImaginaryMachine {
  readonly time: SimulatedTime = simulatedTime(1_000_000);
  readonly dataPlane: MemoryDataPlane = new MemoryDataPlane();
  readonly #space = new KeySpace();
  readonly #living = new Map<string, Living>();
  /** What went against the rules, in words. */
  readonly offences: string[] = [];
  /** Whether the n-th write fails. */
  isDiskFull: (write: number) => boolean = () => false;
  launches = 0;
  /** What was asked to end, and how: "web/1 SIGTERM". */
  readonly asked: string[] = [];
  /** Processes that had to be ended by SIGKILL. */
  kills = 0;
  writes = 0;
  /** What the source of a backlog says. */
  backlog: number | undefined;
  #generation: Generation | undefined;
  /** Also the seed of chance: two controllers never choose the same nonces. */
  #generations = 0;

  get controller(): Controller {
    if (this.#generation === undefined) throw new Error("no controller was started");
    return this.#generation.controller;
  }

  /** Pids of the living processes of tasks whose id begins so. */
  pids(prefix = ""): number[] {
    return [...this.#living.values()]
      .filter(({ task }) => task.startsWith(prefix))
      .map(({ process }) => process.pid);
  }

  /** Starts a controller; `death` says during which write it is killed. */
  async start(config: Config, death?: Death): Promise<void> {
    const generation = { alive: true } as { alive: boolean; controller: Controller };
    this.#generation = generation;
    this.#generations += 1;
    generation.controller = new Controller({
      config,
      workers: SLEEPERS,
      store: this.#storeOf(generation, death),
      runtime: this.#runtimeOf(generation),
      dataPlane: this.dataPlane,
      probe: async ({ port }) => this.#probe(port),
      backlog: () => this.backlog,
      clock: this.time.clock satisfies Clock,
      scheduler: this.#schedulerOf(generation),
      random: seededRandom(this.#generations),
      log: createLog({ write: () => {}, clock: this.time.clock, level: "error" }),
    });
    const started = generation.controller.start();
    if (death === undefined) await started;
  }

  /** The controller is gone from one instant to the next. */
  kill(): void {
    if (this.#generation !== undefined) this.#generation.alive = false;
  }

  /** Ends a process as `kill -9` from outside would. */
  crash(pid: number): void {
    const living = [...this.#living.values()].find(({ process }) => process.pid === pid);
    if (living !== undefined) this.#end(living, { kind: "signal", signal: "SIGKILL" });
  }

  /** Lets so many seconds pass. */
  async pass(seconds: number): Promise<void> {
    for (let step = 0; step < (seconds * 1000) / STEP_MS; step += 1) {
      this.time.advance(STEP_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #probe(port: number): CheckResult {
    const nowMs = this.time.clock.nowMs();
    const living = [...this.#living.values()].find(({ process }) => process.port === port);
    const listens = living !== undefined && nowMs >= living.listensAtMs;
    return listens ? { kind: "pass" } : { kind: "fail", reason: "connect-refused" };
  }

  #schedulerOf(generation: Generation): Scheduler {
    return { after: (delayMs, run) => this.time.scheduler.after(delayMs, () => generation.alive && run()) };
  }

  #storeOf(generation: Generation, death: Death | undefined): StateStore {
    const store = memoryStore(this.#space);
    const never = new Promise<never>(() => {});
    const guard = async <R>(write: () => Promise<R>): Promise<R> => {
      if (!generation.alive) return never;
      this.writes += 1;
      if (this.isDiskFull(this.writes))
        throw new Error("the journal cannot be written: free space on its disk");
      if (this.writes !== death?.atWrite) return write();
      generation.alive = false;
      if (death.written) await write();
      return never;
    };
    return {
      ...store,
      put: (key, value, expected) => guard(() => store.put(key, value, expected)),
      delete: (key, expected) => guard(() => store.delete(key, expected)),
    };
  }

  #runtimeOf(generation: Generation): Runtime {
    const forGeneration = (onExit: (exit: Exit) => void) => (exit: Exit) => generation.alive && onExit(exit);
    return {
      launch: async (request, onExit) => this.#launch(request, forGeneration(onExit)),
      find: (request) => this.#living.get(request.nonce)?.process,
      adopt: (process, onExit) => {
        const living = this.#living.get(process.nonce);
        if (living !== undefined) living.onExit = forGeneration(onExit);
        return living !== undefined;
      },
      terminate: (process, signal = "SIGTERM") => {
        this.asked.push(`${this.#living.get(process.nonce)?.task} ${signal}`);
        this.time.scheduler.after(EXIT_MS, () => this.#endByNonce(process.nonce, { kind: "signal", signal }));
      },
      kill: (process) => {
        this.kills += 1;
        this.#endByNonce(process.nonce, { kind: "signal", signal: "SIGKILL" });
      },
      cpuSeconds: () => undefined,
      logTail: () => [],
      close: () => {},
    };
  }

  #launch(request: LaunchRequest, onExit: (exit: Exit) => void): LaunchResult {
    if (this.#taskLives(request.task)) {
      this.offences.push(`${request.task} was started while it ran`);
    }
    this.launches += 1;
    const { nonce, task } = request;
    const port = 20_000 + this.launches;
    const number = request.worker === undefined ? {} : { worker: request.worker };
    const process = {
      ...number,
      pid: this.launches,
      startTime: "1",
      bootId: "b",
      nonce,
      port,
      cgroups: [],
      log: "",
    };
    this.#living.set(nonce, { task, process, listensAtMs: this.time.clock.nowMs() + START_MS, onExit });
    return { kind: "launched", process };
  }

  #taskLives(task: string): boolean {
    return [...this.#living.values()].some((living) => living.task === task);
  }

  #endByNonce(nonce: string, exit: Exit): void {
    const living = this.#living.get(nonce);
    if (living !== undefined) this.#end(living, exit);
  }

  #end(living: Living, exit: Exit): void {
    this.#living.delete(living.process.nonce);
    this.time.scheduler.after(0, () => living.onExit(exit));
  }
}
