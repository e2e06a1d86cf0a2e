import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import type { Decision } from "./decision.ts";
import { follow, policyOf, turnsOf } from "./testing.ts";

const results = (decisions: readonly Decision[]): number[] => decisions.map((decision) => decision.result);

describe("a service that follows the rule through", () => {
  test("a tenfold step has the needed count at the second tick", () => {
    const load = (second: number): number => (second <= 120 ? 20 : 200);
    const decisions = follow({ policy: policyOf(), wanted: 2, seconds: 150, load });
    expect(results(decisions).slice(119, 122)).toEqual([2, 20, 20]);
    expect(new Set(results(decisions).slice(120))).toEqual(new Set([20]));
  });

  test("a step up and down again shrinks after a stable window, in one change", () => {
    const load = (second: number): number => (second > 60 && second <= 120 ? 200 : 20);
    const decisions = follow({ policy: policyOf(), wanted: 2, seconds: 300, load });
    expect(results(decisions).filter((count) => count !== 2 && count !== 20)).toEqual([]);
    expect([decisions[178]?.result, decisions[190]?.result]).toEqual([20, 2]);
    expect(turnsOf(decisions)).toBe(1);
  });

  test("a slow ramp to 16 times the load grows in six changes, never a quarter above the target", () => {
    const load = (second: number): number => 20 + second * 0.5;
    const decisions = follow({ policy: policyOf(), wanted: 2, seconds: 600, load });
    const counts = results(decisions);
    expect(counts.every((count, index) => count >= (counts[index - 1] ?? 0))).toBe(true);
    expect(new Set(counts).size).toBeLessThanOrEqual(7);
    expect(counts.every((count, index) => load(index + 1) <= count * 10 * 1.25)).toBe(true);
    expect(counts.at(-1)).toBeLessThanOrEqual(34);
  });

  test("a slow fall to a tenth shrinks monotonically in at most eight changes", () => {
    const load = (second: number): number => Math.max(20, 200 - second * 0.3);
    const counts = results(follow({ policy: policyOf(), wanted: 20, seconds: 1200, load }));
    expect(counts.every((count, index) => count <= (counts[index - 1] ?? 20))).toBe(true);
    expect(new Set(counts).size).toBeLessThanOrEqual(9);
    expect(counts.at(-1)).toBe(2);
  });

  test("connections that stay and keep coming are followed, though each jump is answered once", () => {
    const load = (second: number): number => 20 + Math.max(0, second - 60) * 20;
    const counts = results(follow({ policy: policyOf(), wanted: 2, seconds: 120, load }));
    expect(counts.at(-1)).toBeGreaterThanOrEqual(100);
  });

  test("a spike of one second changes nothing", () => {
    const load = (second: number): number => (second === 100 ? 100 : 40);
    expect(new Set(results(follow({ policy: policyOf(), wanted: 4, seconds: 300, load })))).toEqual(
      new Set([4]),
    );
  });

  test("noise of ±30 % around the target changes little", () => {
    const random = seededRandom(7);
    const load = (): number => 100 * (0.7 + 0.6 * random());
    const decisions = follow({ policy: policyOf(), wanted: 10, seconds: 1800, load });
    expect(turnsOf(decisions)).toBe(0);
    expect(Math.max(...results(decisions))).toBeLessThanOrEqual(11);
  });

  test("pulses that keep coming back are waited for after three of them", () => {
    const load = (second: number): number => (second % 120 < 40 ? 200 : 20);
    const decisions = follow({ policy: policyOf(), wanted: 2, seconds: 1800, load });
    expect(turnsOf(decisions.slice(360))).toBe(0);
    expect(decisions.at(-1)?.result).toBe(20);
  });

  test("a sine slower than a short down window is followed until the flap budget is spent", () => {
    const load = (second: number): number => 100 + 80 * Math.sin((2 * Math.PI * second) / 200);
    const policy = policyOf({ downWindowMs: 5000, stableWindowMs: 10_000 });
    const decisions = follow({ policy, wanted: 10, seconds: 1800, load });
    expect(decisions.some((decision) => decision.reason === "flap-budget-spent")).toBe(true);
    expect(turnsOf(decisions)).toBeLessThanOrEqual(12);
  });

  test("a lost signal holds the count for as long as it is lost", () => {
    const load = (second: number): number | undefined => (second < 100 ? 100 : undefined);
    const decisions = follow({ policy: policyOf({ downWindowMs: 10_000 }), wanted: 10, seconds: 900, load });
    expect(new Set(results(decisions))).toEqual(new Set([10]));
    expect(decisions.at(-1)?.reason).toBe("no-data");
  });

  test("nothing shrinks during a deploy and shrinking resumes after it", () => {
    const policy = policyOf({ downWindowMs: 10_000, stableWindowMs: 10_000 });
    const deploying = (second: number): boolean => second < 300;
    const decisions = follow({ policy, wanted: 10, seconds: 400, load: () => 20, deploying });
    expect([decisions[298]?.result, decisions.at(-1)?.result]).toEqual([10, 2]);
  });

  test("load that grows without end ends at max", () => {
    const decisions = follow({
      policy: policyOf({ max: 8 }),
      wanted: 1,
      seconds: 60,
      load: (s) => 10 * 2 ** s,
    });
    expect(decisions.at(-1)).toMatchObject({ result: 8, reason: "max", direction: "hold" });
  });
});
