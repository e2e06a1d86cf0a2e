import { describe, expect, test } from "bun:test";
import { OTHER_TRACES, TRACE_MINUTES, TRACES, timesAt } from "./traces.ts";

describe("traces", () => {
  for (const trace of [...TRACES, ...OTHER_TRACES]) {
    test(`${trace.name} runs forwards in time, within its minutes, and never below nothing`, () => {
      const minutes = trace.points.map(([minute]) => minute);
      expect(minutes).toEqual(minutes.toSorted((a, b) => a - b));
      expect(Math.max(...minutes)).toBeLessThanOrEqual(TRACE_MINUTES);
      expect(trace.points.every(([, times]) => times > 0)).toBe(true);
    });
  }

  test("lie on straight lines between their points, and keep the last one", () => {
    const trace = {
      name: "",
      about: "",
      points: [
        [0, 1],
        [10, 2],
        [20, 4],
      ],
    } as const;
    expect([0, 5, 10, 15, 20, 30].map((minute) => timesAt(trace, minute))).toEqual([1, 1.5, 2, 3, 4, 4]);
  });
});
