import { expect, test } from "bun:test";
import { REPORTED, runTrace } from "./trial.ts";

/** A tenth of the reported load, so that the test is quick. */
const SMALL = { ...REPORTED, serviceMs: 2000 };

const STEP = {
  name: "step",
  about: "",
  points: [
    [0, 1],
    [3, 1],
    [3.02, 5],
  ],
} as const;

test("a step is answered sooner by our rule than by any other, with as many tasks in the end", () => {
  const [ours, ...others] = runTrace(STEP, SMALL);
  expect(others.map(({ autoscaler }) => autoscaler)).toEqual(["HPA", "ECS on CPU", "ECS on requests", "KPA"]);
  const reached = (tasks: readonly (readonly [number, number])[]): number =>
    tasks.find(([, count]) => count >= 9)?.[0] ?? Infinity;
  expect(others.every(({ tasks }) => reached(tasks) >= reached(ours?.tasks ?? []))).toBe(true);
});

test("the same seed gives the same scores", () => {
  expect(runTrace(STEP, SMALL)).toEqual(runTrace(STEP, SMALL));
});
