import { describe, expect, test } from "bun:test";
import { type CheckResult, NEW, step, type TargetState, waitMs } from "./target-state.ts";
import { checkPolicy, fail, PASS } from "./testing.ts";

const policy = checkPolicy();

function after(...results: CheckResult[]): TargetState {
  return results.reduce((state, result) => step(state, result, policy), NEW);
}

describe("a new target", () => {
  test("is healthy after one pass", () => {
    expect(after(PASS)).toEqual({ kind: "healthy", failures: 0 });
  });

  test("is unhealthy after one failure, with its reason", () => {
    expect(after(fail("timeout"))).toMatchObject({ kind: "unhealthy", failure: { reason: "timeout" } });
  });

  test("that was never healthy needs one pass only", () => {
    expect(after(fail(), fail(), fail(), fail(), PASS).kind).toBe("healthy");
  });
});

describe("a healthy target", () => {
  test("stays healthy below `fall` failures, and the reason is kept", () => {
    expect(after(PASS, fail(), fail("reset"))).toEqual({
      kind: "healthy",
      failures: 2,
      failure: { reason: "reset" },
    });
  });

  test("is unhealthy after `fall` failures in a row", () => {
    expect(after(PASS, fail(), fail(), fail()).kind).toBe("unhealthy");
  });

  test("forgets its failures with one pass", () => {
    expect(after(PASS, fail(), fail(), PASS, fail(), fail()).kind).toBe("healthy");
  });
});

describe("an unhealthy target that was healthy before", () => {
  const down = [PASS, fail(), fail(), fail()];

  test("needs `rise` passes in a row", () => {
    expect(after(...down, PASS).kind).toBe("unhealthy");
    expect(after(...down, PASS, PASS).kind).toBe("healthy");
  });

  test("starts over after a failure in between, and tells the latest reason", () => {
    const state = after(...down, PASS, { kind: "fail", reason: "status", status: 503 }, PASS);
    expect(state).toMatchObject({ kind: "unhealthy", passes: 1, failure: { reason: "status", status: 503 } });
  });
});

describe("the wait for the next check", () => {
  test("is the interval more or less its jitter", () => {
    const jittered = checkPolicy({ jitter: 0.1 });
    expect([0, 0.5, 1].map((random) => waitMs(after(PASS), jittered, random))).toEqual([900, 1_000, 1_100]);
  });

  test("is short while a target starts", () => {
    expect(waitMs(after(fail()), policy, 0.5)).toBe(250);
  });

  test("is never longer for a starting target than the interval", () => {
    expect(waitMs(after(fail()), checkPolicy({ intervalMs: 100 }), 0.5)).toBe(100);
  });

  test("is the interval again for a target that does not start for long", () => {
    expect(waitMs(after(...Array<CheckResult>(121).fill(fail())), policy, 0.5)).toBe(1_000);
  });

  test("is the interval for a target that fell, so that `fall` and `rise` keep their pace", () => {
    expect(waitMs(after(PASS, fail()), policy, 0.5)).toBe(1_000);
    expect(waitMs(after(PASS, fail(), fail(), fail()), policy, 0.5)).toBe(1_000);
  });
});
