/**
 * Readiness: asks a starting task again and again until it is ready for the first time. From then on the gateway's
 * own checks govern whether it gets requests.
 */
import type { Cancel, Scheduler } from "../base/index.ts";
import type { Address, HealthConfig } from "../config/index.ts";
import type { CheckResult } from "../health/index.ts";
import type { DataPlane } from "./data-plane.ts";
import { type NotReady, notReady, WORKER_NOT_READY } from "./messages.ts";
import { TASK_HOST } from "./publisher.ts";
import type { Roster } from "./roster.ts";
import type { Task } from "./task.ts";
import { GATEWAY } from "./workers.ts";

/** How often a starting task is asked: a task that starts in 80 ms should not wait for a second to serve. */
const ASK_MS = 50;

/** One question; undefined = ready. Must answer in bounded time and never reject. */
export type ReadinessCheck = () => Promise<NotReady | undefined>;

/** The readiness checks of all starting tasks of one controller. */
export class Readiness {
  readonly #scheduler: Scheduler;
  readonly #onReady: (task: string) => void;
  readonly #asking = new Map<string, { cancel: Cancel; last?: NotReady }>();

  constructor(scheduler: Scheduler, onReady: (task: string) => void) {
    this.#scheduler = scheduler;
    this.#onReady = onReady;
  }

  /** Asks for the tasks in `checks` and for no others; those asked already go on. */
  follow(checks: ReadonlyMap<string, ReadinessCheck>): void {
    for (const task of this.#asking.keys()) if (!checks.has(task)) this.#forget(task);
    for (const [task, check] of checks) {
      if (this.#asking.has(task)) continue;
      this.#asking.set(task, { cancel: () => {} });
      this.#askAfter(task, check, 0);
    }
  }

  /** Why the task was not ready when it was last asked. */
  lastAnswer(task: string): NotReady | undefined {
    return this.#asking.get(task)?.last;
  }

  #askAfter(task: string, check: ReadinessCheck, delayMs: number): void {
    const entry = this.#asking.get(task);
    if (entry !== undefined) entry.cancel = this.#scheduler.after(delayMs, () => void this.#ask(task, check));
  }

  async #ask(task: string, check: ReadinessCheck): Promise<void> {
    const entry = this.#asking.get(task);
    const answer = await check();
    if (entry === undefined || this.#asking.get(task) !== entry) return;
    if (answer === undefined) return this.#onReady(task);
    entry.last = answer;
    this.#askAfter(task, check, ASK_MS);
  }

  #forget(task: string): void {
    this.#asking.get(task)?.cancel();
    this.#asking.delete(task);
  }

  stop(): void {
    this.follow(new Map());
  }
}

/** Whom to ask: apps at their port, workers through the scoreboard. */
export interface ReadinessSources {
  readonly dataPlane: Pick<DataPlane, "workerReady">;
  readonly probe: (address: Address, policy: HealthConfig) => Promise<CheckResult>;
}

/** The checks of all tasks that are starting, by task. */
export function readinessChecks(roster: Roster, sources: ReadinessSources): Map<string, ReadinessCheck> {
  const checks = new Map<string, ReadinessCheck>();
  for (const task of roster.tasks()) {
    const check = checkOf(task, roster, sources);
    if (check !== undefined) checks.set(task.id, check);
  }
  return checks;
}

function checkOf(
  task: Task,
  roster: Roster,
  { dataPlane, probe }: ReadinessSources,
): ReadinessCheck | undefined {
  if (task.state.kind !== "starting") return undefined;
  const { pid, port } = task.state.process;
  if (task.service === GATEWAY)
    return async () => (dataPlane.workerReady(pid) ? undefined : WORKER_NOT_READY);
  const health = roster.service(task.service)?.config.health;
  if (health === undefined || port === undefined) return undefined;
  return async () => notReady(await probe({ host: TASK_HOST, port }, health), health, port);
}
