/** The codec against broken input: whatever it lets through must be read in one way only. */
import { expect, test } from "bun:test";
import { checkMutants, checkResponseMutants } from "./testing/mutants.ts";

test("no mutant of a request is forwarded in a form that reads differently", () => {
  const { tried, forwarded } = checkMutants(30_000, 1);
  expect(tried).toBe(30_000);
  // Both outcomes must occur, or the check says nothing.
  expect(forwarded).toBeGreaterThan(3_000);
  expect(forwarded).toBeLessThan(27_000);
});

test("no mutant of a response is forwarded in a form that reads differently", () => {
  const { forwarded } = checkResponseMutants(10_000, 2);
  expect(forwarded).toBeGreaterThan(1_000);
  expect(forwarded).toBeLessThan(9_000);
});
