import { describe, expect, test } from "bun:test";
import { decide } from "./decide.ts";
import { describeReason } from "./decision.ts";
import { setByHand } from "./memory.ts";
import { cpuPolicy, decideOnce, emptyMemory, observedOf, policyOf, tasksAt } from "./testing.ts";

describe("target tracking on requests in flight", () => {
  test("gives 15 tasks for 100 in flight at 70 % of a limit of 10", () => {
    expect(decideOnce(observedOf(1, { inFlight: 100 }), policyOf({ inFlight: 7 })).result).toBe(15);
  });

  test("holds inside the tolerance and says so", () => {
    const decision = decideOnce(observedOf(10, { inFlight: 109 }), policyOf());
    expect(decision).toMatchObject({ result: 10, direction: "hold", reason: "within-tolerance" });
  });

  test("shrinks to what the load needs when nothing in the down window needed more", () => {
    const decision = decideOnce(observedOf(10, { inFlight: 71 }), policyOf());
    expect(decision).toMatchObject({ result: 8, direction: "down", reason: "below-target" });
  });

  test("counts tasks that are still starting as growth already ordered", () => {
    const tasks = [...tasksAt(2), ...tasksAt(18).map((task) => ({ ...task, ready: false, ageMs: 0 }))];
    expect(decideOnce(observedOf(20, { tasks, inFlight: 200 }), policyOf()).result).toBe(20);
  });
});

describe("panic", () => {
  const settled = { ...emptyMemory(), samples: [1, 2, 3, 4].map((s) => ({ atMs: s * 1000, value: 20 })) };

  test("one odd sample is not answered", () => {
    const { decision } = decide(observedOf(4, { inFlight: 100 }), policyOf(), settled, 5000);
    expect(decision.direction).not.toBe("up");
  });

  test("a second sample at the new level is answered at once", () => {
    const first = decide(observedOf(2, { inFlight: 200 }), policyOf(), settled, 5000);
    const second = decide(observedOf(2, { inFlight: 200 }), policyOf(), first.memory, 6000);
    expect(second.decision).toMatchObject({ result: 20, reason: "panic" });
  });

  test("nothing shrinks until a whole stable window has passed without reason for it", () => {
    const policy = policyOf({ downWindowMs: 0 });
    let memory = { ...emptyMemory(), panicSeenMs: 1000 };
    const at = (nowMs: number): string => {
      const outcome = decide(observedOf(10, { inFlight: 1 }), policy, memory, nowMs);
      memory = { panicSeenMs: 1000, ...outcome.memory };
      return outcome.decision.direction;
    };
    expect([at(2000), at(60_999), at(61_000)]).toEqual(["hold", "hold", "down"]);
  });
});

describe("target tracking on CPU", () => {
  test("grows by the proportional rule", () => {
    const decision = decideOnce(observedOf(3, { tasks: tasksAt(3, 1) }), cpuPolicy(0.5));
    expect(decision).toMatchObject({ result: 6, reason: "above-target" });
  });

  test("start-up work of a task that warms up is not load", () => {
    const tasks = [...tasksAt(2, 0.5), { ready: true, ageMs: 3000, cpu: 1 }];
    expect(decideOnce(observedOf(3, { tasks }), cpuPolicy(0.5)).result).toBe(3);
  });

  test("holds when no task is measured, and says so", () => {
    const decision = decideOnce(observedOf(3), cpuPolicy(0.5));
    expect(decision).toMatchObject({ result: 3, reason: "no-data" });
  });
});

describe("several signals", () => {
  const both = { ...policyOf(), cpu: 0.5 };

  test("the one that needs most wins", () => {
    const decision = decideOnce(observedOf(4, { tasks: tasksAt(4, 0.8), inFlight: 20 }), both);
    expect(decision.result).toBe(7);
  });

  test("a lost one blocks shrinking", () => {
    const decision = decideOnce(observedOf(4, { inFlight: 5 }), both);
    expect(decision).toMatchObject({ result: 4, reason: "metric-missing" });
  });

  test("a lost one does not block growing", () => {
    expect(decideOnce(observedOf(4, { tasks: tasksAt(4, 1) }), both).result).toBe(8);
  });
});

describe("clamps", () => {
  test("the highest recommendation of the down window wins", () => {
    const memory = { ...emptyMemory(), recommendations: [{ atMs: 900_000, count: 8 }] };
    const { decision } = decide(observedOf(10, { inFlight: 20 }), policyOf(), memory, 1_000_000);
    expect(decision.clamps).toEqual([{ kind: "down-window", from: 2, to: 8 }]);
    expect(decision.reason).toBe("down-window");
  });

  test("a number set by hand holds against shrinking for one down window, and does not keep from growing", () => {
    const policy = policyOf({ downWindowMs: 300_000 });
    const memory = setByHand(emptyMemory(), 4, 1000);
    const idle = observedOf(4, { inFlight: 1 });
    expect(decide(idle, policy, memory, 300_999).decision).toMatchObject({
      result: 4,
      reason: "set-by-hand",
    });
    expect(decide(idle, policy, memory, 301_000).decision.result).toBe(2);
    expect(decide(observedOf(4, { inFlight: 60 }), policy, memory, 2000).decision.result).toBe(6);
  });

  test("a deploy holds shrinking but not growing", () => {
    const down = decideOnce(observedOf(10, { inFlight: 20, deploying: true }), policyOf());
    const up = decideOnce(observedOf(10, { inFlight: 150, deploying: true }), policyOf());
    expect([down.result, down.reason, up.result]).toEqual([10, "deploy-in-progress", 15]);
  });

  test("one decision removes at most half of the ready tasks", () => {
    expect(decideOnce(observedOf(10, { inFlight: 1 }), policyOf())).toMatchObject({
      result: 5,
      reason: "down-rate",
    });
  });

  test("min and max hold whatever the load, and for a number that was outside before", () => {
    const policy = policyOf({ min: 3, max: 6 });
    expect(decideOnce(observedOf(4, { inFlight: 1000 }), policy)).toMatchObject({ result: 6, reason: "max" });
    expect(decideOnce(observedOf(1, { inFlight: 10 }), policy)).toMatchObject({ result: 3, reason: "min" });
  });

  test("after too many turns the service keeps what it has", () => {
    const memory = { ...emptyMemory(), turns: [999_000, 999_100, 999_200, 999_300] };
    const { decision } = decide(observedOf(10, { inFlight: 71 }), policyOf(), memory, 1_000_000);
    expect(decision).toMatchObject({ result: 10, reason: "flap-budget-spent" });
  });

  test("a policy without a target changes nothing and says so", () => {
    const { inFlight: _, ...policy } = policyOf();
    const decision = decideOnce(observedOf(3, { inFlight: 500 }), policy);
    expect([decision.result, describeReason(decision.reason)]).toEqual([
      3,
      "the policy names neither autoscale.cpu nor autoscale.inFlight",
    ]);
  });
});
