import { expect, test } from "bun:test";
import { DURATION_LIMITS_MS, Durations } from "./durations.ts";

test("each duration is in the first class whose limit it does not exceed, and what is longest in the last", () => {
  const durations = new Durations();
  for (const ms of [0, 0.5, 0.6, 120_000, 120_001]) durations.record(ms);
  const { counts, sumMs } = durations;
  expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 1, 1, 1]);
  expect(counts.length).toBe(DURATION_LIMITS_MS.length + 1);
  expect(sumMs).toBeCloseTo(240_002.1);
});

test("limits rise", () => {
  expect(DURATION_LIMITS_MS).toEqual([...DURATION_LIMITS_MS].toSorted((a, b) => a - b));
});
