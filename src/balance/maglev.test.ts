import { expect, test } from "bun:test";
import { TABLE_SIZE } from "./maglev.ts";
import { group, targets } from "./testing.ts";

/** How many slots of the table each target owns, read through picks. */
function slotCounts(...weights: number[]): number[] {
  const { balancer } = group("maglev", targets(...weights));
  const counts = weights.map(() => 0);
  for (let slot = 0; slot < TABLE_SIZE; slot++) {
    const index = balancer.pick(Math.ceil((slot * 2 ** 32) / TABLE_SIZE), -1);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

test("equal targets own equal numbers of slots, give or take one", () => {
  const counts = slotCounts(1, 1, 1, 1, 1, 1, 1);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test("weighted targets own slots in proportion", () => {
  const counts = slotCounts(3, 2, 1);
  expect(counts.map((count) => Math.round((count * 6) / TABLE_SIZE))).toEqual([3, 2, 1]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(TABLE_SIZE);
});

test("the lightest target beside the heaviest still owns slots", () => {
  expect(slotCounts(1000, 1)[1]).toBeGreaterThanOrEqual(65);
});
