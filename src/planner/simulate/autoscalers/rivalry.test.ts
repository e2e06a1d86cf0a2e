import { describe, expect, test } from "bun:test";
import { figuresOf } from "../../report/report.ts";
import { autoscaleReport } from "./report.ts";
import { compare, describeLosses } from "./rivalry.ts";
import type { Score } from "./trial.ts";

function score(trace: string, autoscaler: string, numbers: readonly [number, number, number]): Score {
  const [violationSeconds, taskSeconds, changes] = numbers;
  return {
    trace,
    autoscaler,
    violationSeconds,
    taskSeconds,
    changes,
    turns: 0,
    tasks: [
      [0, 2],
      [5, 9],
    ],
  };
}

const SCORES = [
  score("step", "ours", [0, 100, 3]),
  score("step", "theirs", [0, 90, 3]),
  score("sine", "ours", [5, 100, 3]),
  score("sine", "theirs", [9, 120, 9]),
];

describe("our rule beside a rival", () => {
  test("wins by the sums, and says on which trace it does not", () => {
    const [violation, cost, changes] = compare(SCORES);
    expect([violation?.won, cost?.won, changes?.won]).toEqual([true, true, true]);
    expect(cost).toMatchObject({ rival: "theirs", ours: 200, theirs: 210 });
    expect(cost && describeLosses(cost)).toBe("on step (100 against 90)");
  });

  test("does not win by as many changes, but by no violation where the other has none either", () => {
    const [violation, , changes] = compare(SCORES);
    expect([violation?.lostOn.length, changes?.lostOn.length]).toEqual([0, 1]);
  });
});

test("the report has every number once, and names what is lost", () => {
  const report = autoscaleReport(SCORES);
  expect(figuresOf(report)).toHaveLength((2 + 4) * 4);
  expect(report.sections.flatMap((section) => (section.kind === "notes" ? section.lines : []))).toContain(
    "More task-seconds than theirs on step (100 against 90).",
  );
});
