import { describe, expect, test } from "bun:test";
import { murmur3String } from "../base/index.ts";
import { placementOf } from "./placement.ts";

const IDS = ["a:1", "b:1", "c:1", "d:1"];
const KEYS = Array.from({ length: 4000 }, (_, at) => murmur3String(`key${at}`, 0));
const ownerOf = (ids: readonly string[], hash: number): string =>
  ids[placementOf(ids).owners(hash, 1)[0] ?? -1] ?? "";

describe("placement on the ring", () => {
  test("each owner comes once, all of them when asked for", () => {
    const placement = placementOf(IDS);
    for (const hash of KEYS.slice(0, 100)) {
      expect(new Set(placement.owners(hash, 4))).toEqual(new Set([0, 1, 2, 3]));
      expect(placement.owners(hash, 9)).toHaveLength(4);
      expect(placement.owners(hash, 2)).toEqual(placement.owners(hash, 4).slice(0, 2));
    }
    expect(placementOf([]).owners(1, 1)).toEqual([]);
  });

  test("shares are about even, whatever the order of the list", () => {
    const counts = new Map<string, number>();
    for (const hash of KEYS.slice(0, 1000)) {
      const owner = ownerOf(IDS, hash);
      expect(ownerOf(IDS.toReversed(), hash)).toBe(owner);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(150);
  });

  test("one that goes leaves its keys to those that follow on the ring, and moves no others", () => {
    const [before, after] = [placementOf(IDS), placementOf(IDS.slice(0, 3))];
    for (const hash of KEYS) {
      const [owner = -1, next = -1] = before.owners(hash, 2);
      expect(after.owners(hash, 1)).toEqual([owner === 3 ? next : owner]);
    }
  });
});
