import { describe, expect, test } from "bun:test";
import { rateLimit } from "./rate-limit.ts";

describe("a rate limit", () => {
  test("lets a burst in, then so much a second, and says how long to wait", () => {
    let nowMs = 0;
    const limit = rateLimit({ perSecond: 10, burst: 3, clock: { nowMs: () => nowMs } });
    expect([1, 1, 1, 1].map((cost) => limit(cost))).toEqual([0, 0, 0, 100]);
    nowMs = 50;
    expect(limit(1)).toBe(50);
    nowMs = 100;
    expect([limit(1), limit(1)]).toEqual([0, 100]);
  });

  test("saves up no more than a burst", () => {
    let nowMs = 0;
    const limit = rateLimit({ perSecond: 10, burst: 3, clock: { nowMs: () => nowMs } });
    nowMs = 60_000;
    expect([limit(3), limit(1)]).toEqual([0, 100]);
  });
});
