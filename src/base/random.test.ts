import { describe, expect, test } from "bun:test";
import { seededRandom, systemRandom, xoshiro128 } from "./random.ts";

test("xoshiro128** gives the reference sequence of state 1, 2, 3, 4", () => {
  const draw = xoshiro128(1, 2, 3, 4);
  const reference = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849];
  expect(reference.map(() => draw())).toEqual(reference);
});

test("one seed gives one sequence, neighbouring seeds unrelated ones", () => {
  const sequence = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 100 }, random);
  };
  expect(sequence(1)).toEqual(sequence(1));
  expect(new Set([0, 1, 2, -1].flatMap(sequence)).size).toBe(400);
});

describe.each([
  ["the seeded source", seededRandom(42)],
  ["the machine's source", systemRandom],
])("%s", (_, random) => {
  test("stays in [0, 1) and fills 16 bins evenly", () => {
    const bins = new Uint32Array(16);
    for (let i = 0; i < 64_000; i++) {
      const drawn = random();
      expect(drawn >= 0 && drawn < 1).toBe(true);
      bins[Math.floor(drawn * 16)]!++;
    }
    const chiSquare = bins.reduce((total, seen) => total + (seen - 4000) ** 2 / 4000, 0);
    // 15 degrees of freedom: beyond 56 once in a million.
    expect(chiSquare).toBeLessThan(56);
  });
});
