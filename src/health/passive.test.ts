import { describe, expect, test } from "bun:test";
import type { Ejector, Outcome } from "./passive.ts";
import { ejector, idsOf } from "./testing.ts";

/** Outcomes in a row for one target; true when the last one ejected it. */
function observe(under: Ejector, index: number, outcomes: Outcome[], nowMs = 0): boolean {
  return outcomes.map((outcome) => under.observe(index, outcome, nowMs)).at(-1) ?? false;
}

const failures = (count: number): Outcome[] => Array<Outcome>(count).fill("failure");
const errors = (count: number): Outcome[] => Array<Outcome>(count).fill("5xx");

describe("ejection", () => {
  test("follows five 5xx in a row and tells the reason", () => {
    const under = ejector(2);
    expect(observe(under, 0, errors(4))).toBe(false);
    expect(observe(under, 0, ["5xx"])).toBe(true);
    expect(under.status(0)).toEqual({ kind: "ejected", reason: "consecutive-5xx", untilMs: 30_000 });
  });

  test("follows three failures in a row", () => {
    const under = ejector(2);
    expect(observe(under, 1, failures(3))).toBe(true);
    expect([under.isEjected(0), under.isEjected(1)]).toEqual([false, true]);
  });

  test("one good answer ends every run", () => {
    const under = ejector(2);
    observe(under, 0, [...errors(4), "ok", ...errors(4), ...failures(2), "ok", ...failures(2)]);
    expect(under.isEjected(0)).toBe(false);
  });

  test("a 5xx is an answer and ends a run of failures, but failures do not end a run of 5xx", () => {
    const under = ejector(2);
    expect(observe(under, 0, [...failures(2), "5xx", ...failures(2)])).toBe(false);
    expect(observe(under, 0, errors(4))).toBe(true);
  });

  test("a limit of 0 turns a detector off", () => {
    const under = ejector(2, { consecutive5xx: 0, consecutiveFailures: 0 });
    observe(under, 0, [...errors(100), ...failures(100)]);
    expect(under.isEjected(0)).toBe(false);
  });

  test("changes nothing twice", () => {
    const under = ejector(4);
    observe(under, 0, failures(3));
    expect(observe(under, 0, failures(10))).toBe(false);
  });
});

describe("the share that may be out", () => {
  test("is never exceeded, and who is kept says why", () => {
    const under = ejector(5, { shareMax: 0.5 });
    for (const index of [0, 1, 2, 3, 4]) observe(under, index, failures(3));
    expect([0, 1, 2, 3, 4].filter((index) => under.isEjected(index))).toEqual([0, 1]);
    expect(under.status(2)).toEqual({ kind: "kept", because: "share-max", reason: "consecutive-failures" });
  });

  test("is at least one target of two, and none of one", () => {
    expect(observe(ejector(2, { shareMax: 0.1 }), 0, failures(3))).toBe(true);
    expect(observe(ejector(1), 0, failures(3))).toBe(false);
  });

  test("frees a place for the next when an ejection ends", () => {
    const under = ejector(2);
    observe(under, 0, failures(3));
    observe(under, 1, failures(3));
    under.sweep(30_000);
    expect(observe(under, 1, ["failure"], 30_000)).toBe(true);
  });
});

describe("an ejection's length", () => {
  /** Ejects target 0 again and again right after its return; returns how long each ejection lasts. */
  function lengths(count: number): number[] {
    const under = ejector(2);
    let nowMs = 0;
    return Array.from({ length: count }, () => {
      observe(under, 0, failures(3), nowMs);
      const status = under.status(0);
      const untilMs = status.kind === "ejected" ? status.untilMs : nowMs;
      const lastedMs = untilMs - nowMs;
      nowMs = untilMs;
      under.sweep(nowMs);
      return lastedMs;
    });
  }

  test("is 30 s times the ejections in a row, at most 300 s", () => {
    expect(lengths(12).map((ms) => ms / 30_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
  });

  test("ends at the first sweep after its time", () => {
    const under = ejector(2);
    observe(under, 0, failures(3));
    expect([29_999, 30_000, 31_000].map((nowMs) => under.sweep(nowMs))).toEqual([false, true, false]);
    expect(under.isEjected(0)).toBe(false);
  });

  test("shrinks by one step for every 10 s in rotation", () => {
    const under = ejector(2);
    for (const nowMs of [0, 40_000]) {
      observe(under, 0, failures(3), nowMs);
      under.sweep(nowMs + 30_000 * (nowMs === 0 ? 1 : 2));
    }
    for (let nowMs = 101_000; nowMs <= 122_000; nowMs += 1_000) under.sweep(nowMs);
    observe(under, 0, failures(3), 123_000);
    expect(under.status(0)).toMatchObject({ untilMs: 153_000 });
  });

  test("is cut short when an active check passes, and the counts start over", () => {
    const under = ejector(2);
    observe(under, 0, failures(3));
    expect([under.release(0), under.release(0), under.isEjected(0)]).toEqual([true, false, false]);
    expect(observe(under, 0, failures(2))).toBe(false);
  });
});

describe("a change of the targets", () => {
  test("keeps ejections and counts under the new numbers", () => {
    const under = ejector(4);
    observe(under, 2, failures(3));
    observe(under, 3, failures(2));
    under.setTargets(["d", "c", "x", "y"]);
    expect([0, 1, 2, 3].map((index) => under.isEjected(index))).toEqual([false, true, false, false]);
    expect(observe(under, 0, ["failure"])).toBe(true);
  });

  test("lets those back first whose time is nearly over when too many would be out", () => {
    const under = ejector(6);
    for (const index of [0, 1, 2]) observe(under, index, failures(3), index * 1_000);
    under.setTargets(["a", "b", "c"]);
    expect([0, 1, 2].map((index) => under.isEjected(index))).toEqual([false, false, true]);
  });

  test("makes room again when an ejected target leaves", () => {
    const under = ejector(4, { shareMax: 0.25 });
    observe(under, 0, failures(3));
    under.setTargets(idsOf(5).slice(1));
    expect(observe(under, 0, failures(3))).toBe(true);
  });

  test("a target that left and came back starts clean", () => {
    const under = ejector(2);
    observe(under, 0, failures(3));
    under.setTargets(["b"]);
    under.setTargets(["a", "b"]);
    expect(under.isEjected(0)).toBe(false);
  });
});
