import { describe, expect, test } from "bun:test";
import { Gathering } from "./gathering.ts";

const WITHIN_US = 100;

/** Rounds of `arrivals` each, `everyUs` apart. */
function wantedAfter(rounds: number, arrivals: number, everyUs: number): number {
  let nowMs = 0;
  const gathering = new Gathering(WITHIN_US, () => nowMs);
  for (let round = 0; round < rounds; round++) {
    nowMs += everyUs / 1000;
    gathering.round(arrivals);
  }
  return gathering.wanted;
}

describe("gathering of arrivals", () => {
  test("waits for one where the next does not come soon", () => {
    expect(wantedAfter(1000, 1, 150)).toBe(1);
    expect(wantedAfter(1000, 1, 20_000)).toBe(1);
    expect(wantedAfter(1000, 0, 20_000)).toBe(1);
  });

  test("waits for as many as come in its time, and no more than a few", () => {
    expect(wantedAfter(1000, 1, 20)).toBe(5);
    expect(wantedAfter(1000, 6, 120)).toBe(5);
    expect(wantedAfter(1000, 200, 100)).toBe(16);
  });

  test("knows after some rounds that the load is gone", () => {
    let nowMs = 0;
    const gathering = new Gathering(WITHIN_US, () => nowMs);
    for (let round = 0; round < 1000; round++, nowMs += 0.02) gathering.round(1);
    expect(gathering.wanted).toBeGreaterThan(1);
    for (let round = 0; round < 64; round++, nowMs += 1) gathering.round(1);
    expect(gathering.wanted).toBe(1);
  });
});
