import { describe, expect, test } from "bun:test";
import { RetryBudget } from "./retry-budget.ts";

/** How many retries in a row the budget allows at one instant, up to `most`. */
function allowed(budget: RetryBudget, nowMs: number, most = 1000): number {
  let count = 0;
  while (count < most && budget.withdraw(nowMs)) count++;
  return count;
}

function deposited(budget: RetryBudget, requests: number, nowMs: number): RetryBudget {
  for (let i = 0; i < requests; i++) budget.deposit(nowMs);
  return budget;
}

describe("retries are a share of requests", () => {
  const rows: [ratio: number, perSecond: number, requests: number, retries: number][] = [
    [0.2, 0, 100, 20],
    [0.2, 0, 4, 0],
    [0.1, 0, 1000, 100],
    [1, 0, 7, 7],
    [0.2, 10, 0, 100],
    [0.2, 10, 100, 120],
    [0, 1, 100, 10],
    [0, 0, 100, 0],
  ];
  for (const [ratio, perSecond, requests, retries] of rows) {
    test(`${requests} requests at ${ratio} and ${perSecond}/s allow ${retries} within ten seconds`, () => {
      const budget = deposited(new RetryBudget({ ratio, perSecond }), requests, 5000);
      expect(allowed(budget, 5999)).toBe(retries);
    });
  }
});

describe("time", () => {
  test("requests count for ten seconds", () => {
    const budget = deposited(new RetryBudget({ ratio: 0.2, perSecond: 0 }), 100, 0);
    expect(allowed(budget, 9999, 5)).toBe(5);
    expect(allowed(budget, 10_000)).toBe(0);
  });

  test("retries are forgotten with the requests of their second", () => {
    const budget = new RetryBudget({ ratio: 0.2, perSecond: 1 });
    expect(allowed(budget, 500)).toBe(10);
    expect(allowed(budget, 9000)).toBe(0);
    expect(allowed(budget, 10_500)).toBe(10);
  });

  test("a clock that goes backwards gives nothing away and takes nothing", () => {
    const budget = deposited(new RetryBudget({ ratio: 0.2, perSecond: 0 }), 50, 60_000);
    deposited(budget, 50, 1000);
    expect(allowed(budget, 60_500)).toBe(20);
  });

  test("a million requests leave no drift behind", () => {
    const budget = new RetryBudget({ ratio: 0.3, perSecond: 0 });
    for (let i = 0; i < 1_000_000; i++) {
      budget.deposit(i / 10);
      if (i % 3 === 0) budget.withdraw(i / 10);
    }
    expect(allowed(deposited(budget, 100, 900_000), 900_000)).toBe(30);
  });
});
