import { describe, expect, test } from "bun:test";
import type { IndexCandidate } from "./index-candidates.ts";
import type { Plan } from "./plan.ts";
import { dropReason, gainOf, type Trial, type TriedIndex } from "./verdict.ts";

const NAME = "orders_customer_idx";

function plan(timeMs: number, blocks: number, ...indexes: string[]): Plan {
  return { timeMs, blocks, indexes };
}

function tried(...trials: [Plan, Plan][]): TriedIndex {
  return {
    candidate: {} as IndexCandidate,
    name: NAME,
    trials: trials.map(([before, after], at): Trial => ({ statement: String(at), before, after })),
    price: { bytes: 0, buildMs: 0, insertUs: undefined },
  };
}

describe("an index that was tried", () => {
  test("is proposed when one statement that uses it is twice as fast in time and in blocks", () => {
    expect(dropReason(tried([plan(10, 1000), plan(5, 500, NAME)]))).toBeUndefined();
    const slower: [Plan, Plan] = [plan(1, 10), plan(2, 20, NAME)];
    expect(dropReason(tried(slower, [plan(10, 1000), plan(0.1, 4, NAME)]))).toBeUndefined();
  });

  test("is dropped when it is below that in either", () => {
    expect(dropReason(tried([plan(10, 1000), plan(5.1, 10, NAME)]))).toBe("no-gain");
    expect(dropReason(tried([plan(10, 1000), plan(0.1, 501, NAME)]))).toBe("no-gain");
  });

  test("is dropped when only statements that do not use it are faster", () => {
    expect(dropReason(tried([plan(10, 1000), plan(0.1, 4, "another")]))).toBe("not-used");
    const unused: [Plan, Plan] = [plan(10, 1000), plan(0.1, 4)];
    expect(dropReason(tried(unused, [plan(10, 1000), plan(9, 900, NAME)]))).toBe("no-gain");
  });

  test("is dropped when nothing could be run", () => {
    expect(dropReason(tried())).toBe("no-sample");
  });
});

test("a gain is the smaller of both, and finite when nothing is left to read", () => {
  expect(gainOf({ statement: "", before: plan(10, 1000), after: plan(1, 10) })).toBe(10);
  expect(gainOf({ statement: "", before: plan(10, 100), after: plan(0.1, 50) })).toBe(2);
  expect(gainOf({ statement: "", before: plan(10, 100), after: plan(0, 0) })).toBe(10_000);
  expect(gainOf({ statement: "", before: plan(0, 0), after: plan(0, 0) })).toBe(0);
});
