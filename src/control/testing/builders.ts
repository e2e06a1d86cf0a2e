/** Small values for the tests of control: a service's config, a process, a task. */
import { type Random, seededRandom } from "../../base/index.ts";
import type { ServiceConfig } from "../../config/index.ts";
import type { ProcessRef } from "../runtime.ts";
import { createTask, type StepContext, step, type Task, type TaskEvent } from "../task.ts";

/** A service config with the defaults of the product. */
export function serviceConfig(changes: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: "web",
    command: ["node", "server.js"],
    cwd: "/app",
    env: {},
    tasks: 2,
    targetGroup: "web",
    health: {
      kind: "http",
      path: "/healthz",
      statuses: [[200, 399]],
      intervalMs: 1000,
      timeoutMs: 2000,
      rise: 1,
      fall: 3,
      jitter: 0.1,
    },
    startTimeoutMs: 30_000,
    drainTimeoutMs: 30_000,
    stopTimeoutMs: 10_000,
    deploy: { minHealthyPercent: 100, maxPercent: 200, rollback: true },
    limits: {},
    ...changes,
  };
}

export function processRef(pid: number): ProcessRef {
  return { pid, startTime: "1", bootId: "boot", nonce: `n${pid}`, port: 20_000, cgroups: [], log: "web.log" };
}

export function context(nowMs = 0, random: Random = seededRandom(1)): StepContext {
  return { nowMs, random };
}

/** A new task after the given events, each at time 0. */
export function taskAfter(...events: TaskEvent[]): Task {
  const fresh = createTask("web/1", "web", "r1", { kind: "pending", sinceMs: 0, nonce: "n" });
  return events.reduce((task, event) => step(task, event, context()), fresh);
}

/** Events that bring a new task to "healthy". */
export const TO_HEALTHY: readonly TaskEvent[] = [
  { kind: "launched", process: processRef(100) },
  { kind: "ready" },
];
