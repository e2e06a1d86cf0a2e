/** A state directory with a controller on real processes, a real journal, and a data plane in memory. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLog, murmur3String, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { type Config, parseConfig, type UserConfig } from "../../config/index.ts";
import { probe } from "../../health/io/index.ts";
import { Controller } from "../controller.ts";
import { openJournalStore } from "../io/journal-store.ts";
import { detectHierarchies } from "../io/process/cgroups.ts";
import { ProcessRuntime } from "../io/process/process-runtime.ts";
import type { Status, TaskStatus } from "../status.ts";
import type { WorkerSet } from "../workers.ts";
import { eventually } from "./eventually.ts";
import { MemoryDataPlane } from "./memory-data-plane.ts";

const APP = [process.execPath, fileURLToPath(new URL("./app.ts", import.meta.url))];

/** Stands in for gateway workers: a process that lives until it is told to end. */
export const SLEEPERS: WorkerSet = {
  count: 1,
  command: ["sleep", "600"],
  cwd: "/",
  env: {},
  startTimeoutMs: 5000,
  stopTimeoutMs: 2000,
};

/** A user's config with one service "web" that runs the test app. */
export function webConfig(service: Record<string, unknown> = {}, env: Record<string, string> = {}): Config {
  const web = { command: APP, tasks: 2, health: { path: "/healthz" }, stopTimeout: "2s", env, ...service };
  return configOf({ services: { web } as UserConfig["services"] & object });
}

/** A parsed config of services only. */
export function configOf(user: UserConfig): Config {
  const listeners = { web: { address: "127.0.0.1:8080", rules: [{ respond: { status: 200 } }] } };
  const outcome = parseConfig({ listeners, ...user }, { folder: "/", cores: 2 });
  if (outcome.kind === "problems") throw new Error(JSON.stringify(outcome.problems));
  return outcome.config;
}

const openSites: Site[] = [];

/** Takes down every site that a test has opened; to be called after each. */
export async function closeSites(): Promise<void> {
  for (const site of openSites.splice(0)) await site.close();
}

/** One generation of a controller on a state directory. */
export class Site {
  readonly directory: string;
  readonly dataPlane: MemoryDataPlane;
  readonly controller: Controller;
  readonly #closeStore: () => Promise<void>;
  #isDown = false;

  private constructor(
    directory: string,
    parts: { dataPlane: MemoryDataPlane; controller: Controller; close: () => Promise<void> },
  ) {
    this.directory = directory;
    this.dataPlane = parts.dataPlane;
    this.controller = parts.controller;
    this.#closeStore = parts.close;
    openSites.push(this);
  }

  /** Opens the directory and starts a controller on it. */
  static async open(
    directory: string,
    config: Config,
    dataPlane: MemoryDataPlane = new MemoryDataPlane(),
  ): Promise<Site> {
    mkdirSync(directory, { recursive: true });
    const store = await openJournalStore(join(directory, "journal"));
    const log = createLog({ write: () => {}, clock: systemClock, level: "error" });
    const runtime = new ProcessRuntime({
      logs: join(directory, "logs"),
      instance: murmur3String(directory, 0).toString(16),
      hierarchies: detectHierarchies(),
      scheduler: systemScheduler,
      random: systemRandom,
      log,
    });
    const context = {
      config,
      workers: SLEEPERS,
      store,
      runtime,
      dataPlane,
      probe,
      log,
      backlog: () => undefined,
    };
    const time = { clock: systemClock, scheduler: systemScheduler, random: systemRandom };
    const controller = new Controller({ ...context, ...time });
    await controller.start();
    return new Site(directory, { dataPlane, controller, close: () => store.close() });
  }

  status(): Status {
    return this.controller.status();
  }

  /** Tasks of the service "web". */
  tasks(): readonly TaskStatus[] {
    return this.status().services.find((service) => service.name === "web")?.tasks ?? [];
  }

  /** Waits until the service "web" has exactly so many tasks, all healthy, and gives them. */
  healthy(count: number): Promise<readonly TaskStatus[]> {
    return eventually(() => {
      const tasks = this.tasks();
      const allServe = tasks.every((task) => task.state === "healthy" && task.serving);
      return tasks.length === count && allServe && tasks;
    });
  }

  /** Lets go of the directory; what runs goes on, for another controller to take up. */
  async leave(): Promise<void> {
    openSites.splice(openSites.indexOf(this), 1);
    await this.controller.stop();
    await this.#closeStore();
  }

  async down(): Promise<void> {
    this.#isDown = true;
    await this.controller.down();
  }

  async close(): Promise<void> {
    this.dataPlane.ackedUpTo = Number.POSITIVE_INFINITY;
    if (!this.#isDown) await this.down();
    await this.controller.stop();
    await this.#closeStore();
  }
}

/** What the app at a task's port answers. */
export async function ask(task: TaskStatus): Promise<{ pid: number; task: string; version?: string }> {
  const response = await fetch(`http://${task.target}/`, { keepalive: false });
  return (await response.json()) as { pid: number; task: string; version?: string };
}
