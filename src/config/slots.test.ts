import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { allocateSlots, type Slots } from "./slots.ts";

const NONE: Slots = { byKey: new Map(), cursor: 0 };

/** One random step: some keys go, some come, never more than `size`. */
function step(keys: ReadonlySet<string>, random: () => number, size: number, round: number): Set<string> {
  const kept = [...keys].filter(() => random() < 0.8);
  const fresh = Array.from({ length: Math.floor(random() * 6) }, (_, index) => `${round}.${index}`);
  return new Set([...kept, ...fresh].slice(0, size));
}

describe("allocateSlots", () => {
  test("whoever stays keeps the row, and no two share one, whatever comes and goes", () => {
    const random = seededRandom(11);
    const size = 16;
    let [keys, slots] = [new Set<string>(), NONE];
    for (let round = 0; round < 2000; round++) {
      const next = step(keys, random, size, round);
      const after = allocateSlots([...next], slots, size)!;
      const moved = [...next].filter((key) => keys.has(key) && after.byKey.get(key) !== slots.byKey.get(key));
      expect(moved).toEqual([]);
      expect(new Set(after.byKey.values()).size).toBe(next.size);
      expect([...after.byKey.values()].every((slot) => slot >= 0 && slot < size)).toBe(true);
      [keys, slots] = [next, after];
    }
  });

  test("a freed row is reused only after every other free row was", () => {
    let slots = allocateSlots(["a", "b"], NONE, 5)!;
    const given: (number | undefined)[] = [];
    for (const key of ["c", "d", "e", "f"]) {
      slots = allocateSlots(["a", key], slots, 5)!;
      given.push(slots.byKey.get(key));
    }
    // b's row 1 was free from the first round on, and is the last to be used again.
    expect(given).toEqual([2, 3, 4, 1]);
  });

  test("as many keys as rows fit, one more does not", () => {
    const keys = Array.from({ length: 5 }, (_, index) => `${index}`);
    expect(allocateSlots(keys.slice(1), NONE, 4)?.byKey.size).toBe(4);
    expect(allocateSlots(keys, NONE, 4)).toBeUndefined();
  });
});
