import { expect, test } from "bun:test";
import { columnsOf } from "./columns.ts";
import { POINTS_MAX, POINTS_PER_WEIGHT, pointAt, ringOf } from "./ring.ts";
import { equalTargets, targets } from "./testing.ts";

test("points are in proportion to weight", () => {
  const { owners } = ringOf(columnsOf(targets(1, 3)));
  expect(owners.filter((owner) => owner === 0)).toHaveLength(POINTS_PER_WEIGHT);
  expect(owners.filter((owner) => owner === 1)).toHaveLength(3 * POINTS_PER_WEIGHT);
});

test("points are in ascending order of hash", () => {
  const { hashes } = ringOf(columnsOf(equalTargets(5)));
  expect(hashes).toEqual(hashes.toSorted());
});

test("heavy groups are halved until they fit, and keep their proportions", () => {
  const { owners } = ringOf(columnsOf(targets(1000, 1000, 1)));
  const counts = [0, 1, 2].map((position) => owners.filter((owner) => owner === position).length);
  expect(owners.length).toBeLessThanOrEqual(POINTS_MAX);
  expect(owners.length).toBeGreaterThan(POINTS_MAX / 2);
  expect((counts[0] ?? 0) / (counts[2] ?? 1)).toBeCloseTo(1000, 0);
});

test("every target has a point, however light", () => {
  const ring = ringOf(columnsOf(targets(...Array<number>(2000).fill(1000), 1)));
  expect(ring.owners.includes(2000)).toBe(true);
});

test("a key belongs to the first point at or after its hash, and after the last to the first", () => {
  const ring = { hashes: Uint32Array.of(10, 20, 30), owners: Uint16Array.of(0, 1, 2) };
  expect([0, 10, 11, 30, 31].map((hash) => pointAt(ring, hash))).toEqual([0, 0, 1, 2, 0]);
});
