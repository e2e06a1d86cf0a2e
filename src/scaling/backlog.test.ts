import { expect, test } from "bun:test";
import { explainDecision } from "./explain.ts";
import type { ScalePolicy } from "./policy.ts";
import { decideOnce, observedOf, policyOf } from "./testing.ts";

const { inFlight: _, ...rest } = policyOf({ max: 20 });
const policy: ScalePolicy = { ...rest, backlog: { perTask: 100 } };
const decided = (wanted: number, backlog?: number): string => {
  const { result, reason } = decideOnce(observedOf(wanted, backlog === undefined ? {} : { backlog }), policy);
  return `${result} ${reason}`;
};

test.each([
  [2, 1000, "10 above-target"],
  [2, 205, "2 within-tolerance"],
  [2, 230, "3 above-target"],
  [10, 300, "3 below-target"],
  [3, 0, "1 min"],
  [2, 100_000, "20 max"],
])("%i tasks with a backlog of %i", (wanted, backlog, expected) => {
  expect(decided(wanted, backlog)).toBe(expected);
});

test("a source that does not answer changes nothing", () => {
  expect(decided(5)).toBe("5 no-data");
});

test("the highest signal wins: an empty queue does not take tasks away from requests", () => {
  const both = { ...policy, inFlight: 10 };
  expect(decideOnce(observedOf(4, { inFlight: 40, backlog: 0 }), both).result).toBe(4);
});

test("its vote is explained", () => {
  expect(explainDecision(decideOnce(observedOf(2, { backlog: 1000 }), policy))).toEqual([
    "goes from 2 to 10: above-target, the tasks carry more than their target",
    "  saw: 2 wanted, 2 ready, a backlog of 1000",
    "  backlog: 500 per ready task, target 100, asks for 10 (above-target)",
  ]);
});
