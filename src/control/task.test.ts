import { describe, expect, test } from "bun:test";
import { backoffMs } from "./backoff.ts";
import { effectOf, isStaying, step, type Task, type TaskEvent } from "./task.ts";
import { context, processRef, TO_HEALTHY, taskAfter } from "./testing/builders.ts";

const EXITED: TaskEvent = { kind: "exited", exit: { kind: "code", code: 1 } };
const REMOVE: TaskEvent = { kind: "retire", reason: "deploy", afterwards: "remove" };
const RESTART: TaskEvent = { kind: "retire", reason: "unhealthy", afterwards: "restart", message: "hangs" };

/** Names of the states that a task goes through. */
function path(...events: TaskEvent[]): string[] {
  return events.map((_, index) => taskAfter(...events.slice(0, index + 1)).state.kind);
}

describe("a task", () => {
  test("goes from pending through starting, healthy, draining and stopping to stopped", () => {
    const states = path(...TO_HEALTHY, REMOVE, { kind: "drained" }, EXITED);
    expect(states).toEqual(["starting", "healthy", "draining", "stopping", "stopped"]);
  });

  test("that dies waits in backoff with what happened to it", () => {
    const task = taskAfter(...TO_HEALTHY, EXITED);
    expect(task.state.kind).toBe("backoff");
    expect(task.lastFailure).toMatchObject({ reason: "exited", message: "ended with exit code 1" });
  });

  test("that never served is stopped without a drain", () => {
    expect(path({ kind: "launched", process: processRef(1) }, REMOVE)).toEqual(["starting", "stopping"]);
    expect(path(REMOVE)).toEqual(["stopped"]);
  });

  test("that is replaced drains first, then starts again", () => {
    const states = path(...TO_HEALTHY, RESTART, { kind: "drained" }, EXITED, {
      kind: "backoff-over",
      nonce: "m",
    });
    expect(states.slice(2)).toEqual(["draining", "stopping", "backoff", "pending"]);
  });

  test("that is to be restarted can still be removed, but not the other way round", () => {
    const restarting = taskAfter(...TO_HEALTHY, RESTART);
    const removed = step(restarting, REMOVE, context());
    expect([isStaying(restarting), isStaying(removed), isStaying(step(removed, RESTART, context()))]).toEqual(
      [true, false, false],
    );
  });

  test("ignores events that mean nothing in its state", () => {
    const healthy = taskAfter(...TO_HEALTHY);
    const meaningless: TaskEvent[] = [{ kind: "ready" }, { kind: "drained" }, { kind: "grace-over" }];
    for (const event of meaningless) expect(step(healthy, event, context())).toBe(healthy);
  });

  test("is terminated once when it enters stopping, and killed once when the grace is over", () => {
    const stopping = taskAfter(...TO_HEALTHY, REMOVE, { kind: "drained" });
    const killed = step(stopping, { kind: "grace-over" }, context());
    const before = taskAfter(...TO_HEALTHY, REMOVE);
    expect(effectOf(before.state, stopping.state)).toBe("terminate");
    expect(effectOf(stopping.state, killed.state)).toBe("kill");
    expect(effectOf(killed.state, killed.state)).toBeUndefined();
  });
});

describe("restart backoff", () => {
  /** Waits of a task that fails again and again after being healthy for `healthyMs`. */
  function waits(count: number, healthyMs: number): number[] {
    let task: Task = taskAfter();
    return Array.from({ length: count }, () => {
      for (const event of TO_HEALTHY)
        task = step(
          task,
          event,
          context(0, () => 0.5),
        );
      task = step(
        task,
        EXITED,
        context(healthyMs, () => 0.5),
      );
      const waitMs = task.state.kind === "backoff" ? task.state.untilMs - task.state.sinceMs : -1;
      task = step(task, { kind: "backoff-over", nonce: "m" }, context());
      return waitMs / 1000;
    });
  }

  test("is 0, 1, 2, 4 … 60 s", () => {
    expect(waits(9, 100)).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("starts over after a minute of health", () => {
    expect(waits(3, 60_000)).toEqual([0, 0, 0]);
  });

  test("is spread by 20 % either way", () => {
    expect([backoffMs(5, () => 0), backoffMs(5, () => 1)]).toEqual([6400, 9600]);
  });
});
