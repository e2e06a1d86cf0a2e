/** Every algorithm of the table passes the shared suite. */
import { describe, expect, test } from "bun:test";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";
import { describeBalancer } from "./suite.ts";
import { heapGrowth } from "./testing.ts";

for (const algorithm of Object.keys(ALGORITHMS) as Algorithm[]) describeBalancer(algorithm);

describe("the measure of allocation", () => {
  test("sees one small object per call", () => {
    const kept: { value: object } = { value: {} };
    const allocate = (): void => {
      kept.value = { previous: 1 };
    };
    expect(heapGrowth(allocate, 100_000)).toBeGreaterThan(400_000);
  });
});
