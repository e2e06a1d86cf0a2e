import { describe, expect, test } from "bun:test";
import type { Problem } from "../config/index.ts";
import { readSettings, variantsOf } from "./design-settings.ts";

const DESIGN = { nodes: { app: { tasks: 1, time: "5ms" } }, faults: [{ at: "1s" }, { at: "2s" }] };

function variants(...texts: string[]): unknown[] {
  const problems: Problem[] = [];
  const made = variantsOf(DESIGN, readSettings(texts, problems));
  expect(problems).toEqual([]);
  return made.map(({ source, suffix }) => [suffix, source]);
}

function problemsOf(...texts: string[]): string[] {
  const problems: Problem[] = [];
  readSettings(texts, problems);
  return problems.map(({ what, mend }) => `${what}; ${mend}`);
}

describe("--set", () => {
  test("changes one place and leaves the others", () => {
    expect(variants("nodes.app.tasks=4", "faults.1.at=9s")).toEqual([
      ["", { nodes: { app: { tasks: 4, time: "5ms" } }, faults: [{ at: "1s" }, { at: "9s" }] }],
    ]);
  });

  test("several values are a design each, named by theirs", () => {
    const swept = variants("nodes.app.tasks=2,4", "nodes.app.time=7ms");
    expect(swept).toMatchObject([
      [" nodes.app.tasks=2", { nodes: { app: { tasks: 2, time: "7ms" } } }],
      [" nodes.app.tasks=4", { nodes: { app: { tasks: 4, time: "7ms" } } }],
    ]);
  });

  test("what cannot be read is refused with the form it should have", () => {
    expect(problemsOf("tasks", "=4", "a..b=1", "a=1,,2")).toEqual(
      ["tasks", "=4", "a..b=1", "a=1,,2"].map(
        (text) => `is "${text}"; write a place and its values, such as "nodes.app.tasks=2,4,8"`,
      ),
    );
    expect(problemsOf("a=1,2", "b=1,2")).toEqual([
      "has several values for a and b; sweep over one of them at a time",
    ]);
  });
});
