import { describe, expect, test } from "bun:test";
import { describePurge, logPortions, PurgeLog } from "./log.ts";

/** A record with a text of so many characters. */
function record(sequence: number, characters = 1) {
  return { sequence, atMs: 0, soft: false, what: ["x".repeat(characters)] };
}

describe("the log of purges", () => {
  test("gives what came after a sequence, and all when that one is not known", () => {
    const log = new PurgeLog();
    for (const sequence of [3, 5, 9]) log.add(record(sequence));
    expect(log.list(5).map(({ sequence }) => sequence)).toEqual([9]);
    expect(log.list(4)).toHaveLength(3);
  });

  test("is bounded by records and by characters, and keeps the latest", () => {
    const log = new PurgeLog();
    for (let sequence = 1; sequence <= 1200; sequence++) log.add(record(sequence));
    expect([log.list().length, log.list().at(-1)?.sequence]).toEqual([1000, 1200]);
    log.add(record(1201, 1_000_000));
    expect(log.list().map(({ sequence }) => sequence)).toEqual([1201]);
  });

  test("is told to the log file in portions, none of which is lost", () => {
    expect(logPortions(["a", "b"])).toEqual([["a", "b"]]);
    const long = Array.from({ length: 100 }, (_, number) => `${number}${"x".repeat(8000)}`);
    const portions = logPortions(long);
    expect(portions.flat()).toEqual(long);
    expect(portions.every((portion) => portion.join("").length <= 24 * 1024)).toBe(true);
  });

  test("says in one line what, how and which", () => {
    const what = ["tag a", "tag b", "url http://h/", "tag d", "tag e"];
    expect(describePurge({ ...record(7), what })).toBe(
      "purged tag a, tag b, url http://h/ and 2 more (purge 7)",
    );
    expect(describePurge({ ...record(8), what: ["tag a"], soft: true })).toBe("marked stale tag a (purge 8)");
    expect(describePurge(record(9, 9000)).length).toBeLessThan(250);
  });
});
