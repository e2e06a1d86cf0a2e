import { describe, expect, test } from "bun:test";
import { decide } from "./decide.ts";
import { describeReason } from "./decision.ts";
import { initialMemory, type ScaleMemory, setByHand } from "./memory.ts";
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

describe("more than the target", () => {
  /** A decision for ten tasks after a minute of this load. */
  const decideAfter = (load: (second: number) => number, changes: Partial<ScaleMemory> = {}) => {
    const samples = Array.from({ length: 60 }, (_, second) => ({
      atMs: 941_000 + second * 1000,
      value: load(second),
    }));
    const memory = { ...emptyMemory(), samples, ...changes };
    return decide(observedOf(10, { inFlight: load(60) }), policyOf(), memory, 1_001_000);
  };

  test("is answered when the last quarter of the window is more than the tasks bear: 117 of 10 x 10", () => {
    const stepTo = (level: number) => decideAfter((second) => (second < 46 ? 100 : level)).decision;
    expect(stepTo(116)).toMatchObject({ result: 10, reason: "within-tolerance" });
    expect(stepTo(118)).toMatchObject({ result: 12, reason: "rising" });
  });

  test("gets as many as will bear it two minutes on when it rises steadily: 120 now, 180 then", () => {
    const { decision } = decideAfter((second) => 97 + second / 2);
    expect(decision).toMatchObject({ result: 16, reason: "rising" });
  });

  test("is borne for one down window, then answered though it is little", () => {
    const little = decideAfter(() => 112);
    expect(little.decision).toMatchObject({ result: 10, reason: "bearable" });
    expect(little.memory.aboveSinceMs).toBe(1_001_000);
    const after = (ageMs: number) => decideAfter(() => 112, { aboveSinceMs: 1_001_000 - ageMs }).decision;
    expect(after(299_999)).toMatchObject({ result: 10, reason: "bearable" });
    expect(after(300_000)).toMatchObject({ result: 12, reason: "above-target" });
    const less = decideAfter(() => 110, { aboveSinceMs: 700_000 });
    expect([less.decision.reason, less.memory.aboveSinceMs]).toEqual(["within-tolerance", undefined]);
  });

  test("is not borne in the wake of a jump, where the number is still to be found", () => {
    const { decision } = decideAfter(() => 112, { panicSeenMs: 990_000 });
    expect(decision).toMatchObject({ result: 12, reason: "rising" });
  });
});

describe("panic", () => {
  const settled = { ...emptyMemory(), samples: [1, 2, 3, 4].map((s) => ({ atMs: s * 1000, value: 20 })) };

  test("one odd sample is not answered", () => {
    const { decision } = decide(observedOf(4, { inFlight: 100 }), policyOf(), settled, 5000);
    expect(decision.direction).not.toBe("up");
  });

  test("a second sample at the new level is answered at once", () => {
    const first = decide(observedOf(5, { inFlight: 200 }), policyOf(), settled, 5000);
    const second = decide(observedOf(5, { inFlight: 200 }), policyOf(), first.memory, 6000);
    expect([first.decision.direction, second.memory.jumpGrowth]).toEqual(["hold", 1]);
    expect(second.decision).toMatchObject({ result: 20, reason: "panic" });
  });

  test("what is ordered already is added to only when twice as much is needed", () => {
    const samples = [1, 2].map((s) => ({ atMs: s * 1000, value: 200 }));
    const panicking = { ...emptyMemory(), samples, panicSeenMs: 2000 };
    const tasks = [...tasksAt(2), ...tasksAt(18).map((task) => ({ ...task, ready: false }))];
    const result = (inFlight: number): number =>
      decide(observedOf(20, { tasks, inFlight }), policyOf(), panicking, 3000).decision.result;
    expect([result(390), result(400)]).toEqual([20, 40]);
  });

  test("what waits goes on growing until the ordered tasks are at work: only twice as fast asks for more", () => {
    const ordered = { ...emptyMemory(), panicSeenMs: 2000, jumpGrowth: 100 };
    const result = (ageMs: number, growth: number): number => {
      const memory = { ...ordered, samples: [{ atMs: 2000, value: 1000 - growth }] };
      const tasks = tasksAt(20).map((task) => ({ ...task, ready: ageMs > 0, ageMs }));
      return decide(observedOf(20, { tasks, inFlight: 1000 }), policyOf(), memory, 3000).decision.result;
    };
    expect([result(0, 199), result(0, 200)]).toEqual([20, 100]);
    expect([result(1999, 100), result(2000, 49), result(2000, 50)]).toEqual([20, 20, 100]);
  });

  test("what waited in the jump is no demand once it is over", () => {
    const samples = [1, 2].map((s) => ({ atMs: s * 1000, value: 900 }));
    const memory = { ...emptyMemory(), samples, panicSeenMs: 2000 };
    const after = decide(observedOf(20, { inFlight: 150 }), policyOf(), memory, 9000);
    expect(after.decision).toMatchObject({ result: 20, reason: "panic-cooling" });
    expect(after.memory.samples.map(({ value }) => value)).toEqual([150]);
  });

  test("a panic soon after a shrink is a regret, unless growth was under way", () => {
    const jump = { ...emptyMemory(), samples: [{ atMs: 999_000, value: 200 }] };
    const regretsAfter = (shrunkMs: number): number =>
      decide(observedOf(2, { inFlight: 200 }), policyOf(), { ...jump, shrunkMs }, 1_000_000).memory.regrets
        .length;
    expect([regretsAfter(700_001), regretsAfter(700_000)]).toEqual([1, 0]);
    const tasks = [...tasksAt(2), { ready: false, ageMs: 0 }];
    const growing = observedOf(3, { tasks, inFlight: 200 });
    const late = decide(growing, policyOf(), { ...jump, shrunkMs: 990_000 }, 1_000_000);
    expect([late.memory.panicSeenMs, late.memory.regrets]).toEqual([1_000_000, []]);
  });

  test("a regret fades after six down windows", () => {
    const old = { ...emptyMemory(), regrets: [1_000_000] };
    const at = (nowMs: number) => decide(observedOf(2), policyOf(), old, nowMs).memory.regrets.length;
    expect([at(2_799_999), at(2_800_000)]).toEqual([1, 0]);
  });

  test("nothing shrinks until a quarter of the stable window has passed without reason for it", () => {
    const policy = policyOf({ downWindowMs: 0 });
    let memory = { ...emptyMemory(), panicSeenMs: 1000 };
    const at = (nowMs: number): string => {
      const outcome = decide(observedOf(10, { inFlight: 1 }), policy, memory, nowMs);
      memory = { panicSeenMs: 1000, ...outcome.memory };
      return outcome.decision.direction;
    };
    expect([at(2000), at(15_999), at(16_000)]).toEqual(["hold", "hold", "down"]);
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
  const recommended = (atMs: number, count: number) => ({
    ...emptyMemory(),
    recommendations: [{ atMs, count }],
  });

  test("a number that was needed within the last stable window holds", () => {
    const idle = observedOf(10, { inFlight: 20 });
    const { decision } = decide(idle, policyOf(), recommended(940_001, 10), 1_000_000);
    expect(decision.clamps).toEqual([{ kind: "down-window", from: 2, to: 10 }]);
    expect(decision.reason).toBe("down-window");
    expect(decide(idle, policyOf(), recommended(940_000, 10), 1_000_000).decision.result).toBe(2);
  });

  test("a rule that has lost its memory keeps what it found for one down window", () => {
    const idle = observedOf(8, { inFlight: 1 });
    const memory = initialMemory(8, 0);
    const at = (nowMs: number) => decide(idle, policyOf(), memory, nowMs).decision.result;
    expect([at(299_999), at(300_000)]).toEqual([8, 1]);
  });

  test("each regret doubles that time, up to the down window", () => {
    const idle = observedOf(10, { inFlight: 20 });
    const holds = (regrets: number, ageMs: number): boolean => {
      const memory = { ...recommended(1_000_000 - ageMs, 10), regrets: Array<number>(regrets).fill(900_000) };
      return decide(idle, policyOf(), memory, 1_000_000).decision.result === 10;
    };
    expect([holds(1, 119_999), holds(1, 120_000), holds(5, 299_999), holds(5, 300_000)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("on CPU alone, which grows slowly, the whole down window holds", () => {
    const idle = observedOf(10, { tasks: tasksAt(10, 0.1) });
    const at = (atMs: number) => decide(idle, cpuPolicy(0.5), recommended(atMs, 10), 1_000_000).decision;
    expect([at(700_001).result, at(700_000).result]).toEqual([10, 2]);
  });

  test("a falling load is followed down to what it needed last, not to what it needed at first", () => {
    const recommendations = [8, 6, 4].map((count, index) => ({ atMs: 950_000 + index * 20_000, count }));
    const memory = { ...emptyMemory(), recommendations };
    const { decision } = decide(observedOf(10, { inFlight: 30 }), policyOf(), memory, 1_000_000);
    expect(decision).toMatchObject({ result: 4, reason: "down-window" });
  });

  test("while a fall still passes through the window, nothing moves", () => {
    const falling = [8, 3].map((count, index) => ({ atMs: 943_000 + index * 2000, count }));
    const memory = { ...emptyMemory(), recommendations: falling };
    const { decision } = decide(observedOf(10, { inFlight: 30 }), policyOf(), memory, 1_000_000);
    expect(decision).toMatchObject({ result: 10, reason: "down-window" });
  });

  test("a shrink by less than three tenths of the tasks waits the longer, up to the down window", () => {
    const holds = (inFlight: number, ageMs: number): boolean => {
      const memory = recommended(1_000_000 - ageMs, 20);
      return decide(observedOf(20, { inFlight }), policyOf(), memory, 1_000_000).decision.result === 20;
    };
    expect([holds(140, 59_999), holds(140, 60_000)]).toEqual([true, false]);
    expect([holds(170, 119_999), holds(170, 120_001)]).toEqual([true, false]);
    expect([holds(178, 179_999), holds(178, 180_001)]).toEqual([true, false]);
  });

  test("a number set by hand holds against shrinking for one down window, and does not keep from growing", () => {
    const policy = policyOf({ downWindowMs: 300_000 });
    const memory = setByHand(emptyMemory(), 4, 1000);
    const idle = observedOf(4, { inFlight: 1 });
    expect(decide(idle, policy, memory, 300_999).decision).toMatchObject({
      result: 4,
      reason: "set-by-hand",
    });
    expect(decide(idle, policy, memory, 301_000).decision.result).toBe(1);
    expect(decide(observedOf(4, { inFlight: 60 }), policy, memory, 2000).decision.result).toBe(6);
  });

  test("a deploy holds shrinking but not growing", () => {
    const down = decideOnce(observedOf(10, { inFlight: 20, deploying: true }), policyOf());
    const up = decideOnce(observedOf(10, { inFlight: 150, deploying: true }), policyOf());
    expect([down.result, down.reason, up.result]).toEqual([10, "deploy-in-progress", 15]);
  });

  test("one decision leaves at least a tenth of the ready tasks", () => {
    expect(decideOnce(observedOf(30, { inFlight: 1 }), policyOf())).toMatchObject({
      result: 3,
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
      "the policy names none of autoscale.cpu, autoscale.inFlight, autoscale.backlog",
    ]);
  });
});
