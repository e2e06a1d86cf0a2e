import { expect, test } from "bun:test";
import { ArrivalClock } from "./arrival-clock.ts";

test("a clock of arrivals stands from the beginning of each to its end, and runs between them", () => {
  let nowMs = 0;
  const clock = new ArrivalClock({ nowMs: () => ++nowMs, wallMs: () => 7 });
  expect([clock.nowMs(), clock.nowMs()]).toEqual([1, 2]);
  clock.stand();
  expect([clock.nowMs(), clock.nowMs()]).toEqual([3, 3]);
  clock.run();
  expect(clock.nowMs()).toBe(4);
  clock.stand();
  clock.stand(); // one arrival within another: the later reading counts
  expect(clock.nowMs()).toBe(6);
  clock.run();
  expect([clock.nowMs(), clock.wallMs()]).toEqual([7, 7]);
});
