import { describe, expect, test } from "bun:test";
import { CHECKS_CONCURRENT_MAX } from "./active.ts";
import { checkTargets, elapse, fail, idsOf, lab, PASS } from "./testing.ts";

const quickPass = { afterMs: 10, result: PASS } as const;

describe("active checks", () => {
  test("check a lone new target at once", async () => {
    const under = lab(() => quickPass);
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 20);
    expect(under.starts).toEqual([{ key: "a", atMs: 0 }]);
    expect(under.checks.state("a")).toEqual({ kind: "healthy", failures: 0 });
  });

  test("spread the first checks of targets that come together over a second", async () => {
    const under = lab(() => quickPass);
    under.checks.setTargets(checkTargets(idsOf(5), { intervalMs: 30_000 }));
    await elapse(under, 1_000);
    expect(under.starts.map(({ atMs }) => atMs)).toEqual([0, 200, 400, 600, 800]);
  });

  test("repeat at the interval, counted from start to start", async () => {
    const under = lab(() => ({ afterMs: 400, result: PASS }));
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 5_000);
    const [, second = 0, third = 0, fourth = 0] = under.starts.map(({ atMs }) => atMs);
    expect([third - second, fourth - third]).toEqual([1_000, 1_000]);
  });

  test("leave lockstep with the second check", async () => {
    const under = lab(() => quickPass);
    under.checks.setTargets(checkTargets(idsOf(20), { intervalMs: 10_000 }));
    await elapse(under, 11_000);
    const seconds = under.starts.slice(20).map(({ atMs }) => Math.floor(atMs / 1_000));
    expect(new Set(seconds).size).toBeGreaterThan(6);
  });

  test("report every result and say which one changed the state", async () => {
    const under = lab((_, probes) => ({ afterMs: 10, result: probes === 1 ? PASS : fail("timeout") }));
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 4_000);
    const seen = under.reports.slice(0, 4).map(({ state, changed }) => `${state.kind} ${changed}`);
    expect(seen).toEqual(["healthy true", "healthy false", "healthy false", "unhealthy true"]);
  });

  test("never overlap for one target, even when checks outlast the interval", async () => {
    const under = lab(() => ({ afterMs: 1_200, result: PASS }));
    under.checks.setTargets(checkTargets(["a"], { intervalMs: 100, timeoutMs: 2_000 }));
    await elapse(under, 10_000);
    expect(under.mostUnderWay).toBe(1);
    expect(under.starts.length).toBeGreaterThan(6);
  });

  test("keep a bound on checks under way, and get to all of them", async () => {
    const under = lab(() => ({ afterMs: 300, result: PASS }));
    const keys = Array.from({ length: CHECKS_CONCURRENT_MAX * 4 }, (_, place) => `t${place}`);
    under.checks.setTargets(checkTargets(keys, { intervalMs: 100 }));
    await elapse(under, 2_000);
    expect(under.mostUnderWay).toBe(CHECKS_CONCURRENT_MAX);
    expect(new Set(under.starts.map(({ key }) => key)).size).toBe(keys.length);
  });

  test("a probe that hangs counts as a timeout and is followed by another", async () => {
    const under = lab((_, probes) => (probes === 1 ? "never" : quickPass));
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 3_000);
    expect(under.reports[0]?.result).toEqual({ kind: "fail", reason: "timeout" });
    expect(under.checks.state("a")?.kind).toBe("healthy");
  });

  test("a probe that breaks counts as a failure with its words", async () => {
    const under = lab(() => {
      throw new Error("out of sockets");
    });
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 20);
    expect(under.reports[0]?.result).toMatchObject({
      reason: "probe-error",
      detail: "Error: out of sockets",
    });
  });
});

describe("a change of the targets", () => {
  test("keeps the state and the turn of those that stay", async () => {
    const under = lab(() => quickPass);
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 100);
    under.checks.setTargets(checkTargets(["a", "b"]));
    expect(under.checks.state("a")?.kind).toBe("healthy");
    await elapse(under, 10);
    expect(under.starts.map(({ key }) => key)).toEqual(["a", "b"]);
  });

  test("forgets a target that left, also when its check is under way", async () => {
    const under = lab(() => ({ afterMs: 100, result: PASS }));
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 50);
    under.checks.stop();
    await elapse(under, 5_000);
    expect([under.starts.length, under.reports.length]).toEqual([1, 0]);
    expect(under.checks.state("a")).toBeUndefined();
  });

  test("does not give an old result to a target that left and came back", async () => {
    const under = lab((_, probes) => ({ afterMs: 100, result: probes === 1 ? fail() : PASS }));
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 50);
    under.checks.setTargets([]);
    under.checks.setTargets(checkTargets(["a"]));
    await elapse(under, 200);
    expect(under.reports.map(({ state }) => state.kind)).toEqual(["healthy"]);
  });

  test("takes a new interval at once", async () => {
    const under = lab(() => quickPass);
    under.checks.setTargets(checkTargets(["a"], { intervalMs: 600_000 }));
    await elapse(under, 100);
    under.checks.setTargets(checkTargets(["a"], { intervalMs: 200 }));
    await elapse(under, 1_000);
    expect(under.starts.length).toBeGreaterThan(4);
  });

  test("a state that is known from elsewhere is gone on from", async () => {
    const under = lab(() => ({ afterMs: 10, result: fail() }));
    const [target] = checkTargets(["a"]);
    under.checks.setTargets([{ ...target!, known: { kind: "healthy", failures: 0 } }]);
    await elapse(under, 20);
    expect(under.checks.state("a")).toMatchObject({ kind: "healthy", failures: 1 });
  });
});
