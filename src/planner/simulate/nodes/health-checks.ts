/**
 * Active checks in simulated time: production's target states and waits, with a probe that looks at the task itself.
 */
import type { Random } from "../../../base/index.ts";
import type { HealthConfig } from "../../../config/index.ts";
import { HEALTH } from "../../../gateway/index.ts";
import { type CheckResult, NEW, step, type TargetState, waitMs } from "../../../health/index.ts";
import type { World } from "../world.ts";
import type { Service } from "./service.ts";
import type { Task } from "./tasks.ts";

interface Check {
  state: TargetState;
  /** The task is in the group. */
  active: boolean;
}

/** What checks work with. */
export interface HealthChecksContext {
  readonly world: World;
  readonly random: Random;
  readonly service: Service;
}

/** Health as the gateway's scoreboard says it. */
type Health = (typeof HEALTH)[keyof typeof HEALTH];

/** The checks of one gateway; without a policy there are none. */
export class HealthChecks {
  readonly #policy: HealthConfig | undefined;
  readonly #context: HealthChecksContext;
  readonly #report: (task: number, health: Health) => void;
  readonly #checks = new Map<number, Check>();

  constructor(
    policy: HealthConfig | undefined,
    context: HealthChecksContext,
    report: (task: number, health: Health) => void,
  ) {
    this.#policy = policy;
    this.#context = context;
    this.#report = report;
  }

  /** These tasks are in the group now. */
  follow(tasks: readonly Task[]): void {
    if (this.#policy === undefined) return;
    const staying = new Set(tasks.map(({ number }) => number));
    for (const [number, check] of this.#checks) {
      if (staying.has(number)) continue;
      check.active = false;
      this.#checks.delete(number);
    }
    for (const task of tasks) if (!this.#checks.has(task.number)) this.#join(task, this.#policy);
  }

  #join(task: Task, policy: HealthConfig): void {
    const check: Check = { state: NEW, active: true };
    this.#checks.set(task.number, check);
    this.#context.world.after(this.#context.random() * policy.intervalMs, () =>
      this.#ask(task, check, policy),
    );
  }

  #ask(task: Task, check: Check, policy: HealthConfig): void {
    if (!check.active) return;
    const result = probe(task);
    const tookMs = result.kind === "fail" && result.reason === "timeout" ? policy.timeoutMs : 0;
    this.#context.world.after(tookMs, () => this.#settle(task, check, { policy, result, tookMs }));
  }

  #settle(
    task: Task,
    check: Check,
    {
      policy,
      result,
      tookMs,
    }: { readonly policy: HealthConfig; readonly result: CheckResult; readonly tookMs: number },
  ): void {
    if (!check.active) return;
    check.state = step(check.state, result, policy);
    this.#report(task.number, check.state.kind === "unhealthy" ? HEALTH.unhealthy : HEALTH.healthy);
    const restMs = Math.max(0, waitMs(check.state, policy, this.#context.random()) - tookMs);
    this.#context.world.after(restMs, () => this.#ask(task, check, policy));
  }
}

function probe({ state, partitioned }: Task): CheckResult {
  if (state === "gone") return { kind: "fail", reason: "connect-refused" };
  return partitioned ? { kind: "fail", reason: "timeout" } : { kind: "pass" };
}
