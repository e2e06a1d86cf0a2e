import { expect, test } from "bun:test";
import { seededRandom } from "./random.ts";
import { simulatedTime } from "./simulated-time.ts";
import { below } from "./testing.ts";

test("time stands still until it is advanced", () => {
  const { clock, advance } = simulatedTime(100);
  expect(clock.nowMs()).toBe(100);
  const wallMs = clock.wallMs();
  advance(50);
  expect(clock.nowMs()).toBe(150);
  expect(clock.wallMs() - wallMs).toBe(50);
});

test("each run sees the clock at its own due time", () => {
  const { clock, scheduler, advance } = simulatedTime();
  const seen: number[] = [];
  for (const delayMs of [30, 10, 20]) scheduler.after(delayMs, () => seen.push(clock.nowMs()));
  advance(25);
  expect(seen).toEqual([10, 20]);
  advance(5);
  expect(seen).toEqual([10, 20, 30]);
});

test("runs of one instant come in the order they were scheduled", () => {
  const { scheduler, advance } = simulatedTime();
  const seen: string[] = [];
  for (const name of ["a", "b", "c"]) scheduler.after(5, () => seen.push(name));
  advance(5);
  expect(seen).toEqual(["a", "b", "c"]);
});

test("what a run schedules also comes when it is due within the same advance", () => {
  const { clock, scheduler, advance } = simulatedTime();
  const seen: number[] = [];
  const everyTen = (): void => {
    seen.push(clock.nowMs());
    scheduler.after(10, everyTen);
  };
  scheduler.after(10, everyTen);
  advance(35);
  expect(seen).toEqual([10, 20, 30]);
});

test("a cancelled run does not come, not even when cancelled by a run of the same instant", () => {
  const { scheduler, advance } = simulatedTime();
  const seen: string[] = [];
  scheduler.after(5, () => cancel());
  const cancel = scheduler.after(5, () => seen.push("cancelled"));
  scheduler.after(5, () => seen.push("kept"));
  advance(5);
  expect(seen).toEqual(["kept"]);
});

test("cancelling again, or what has run, takes nothing else back", () => {
  const { scheduler, advance } = simulatedTime();
  const seen: string[] = [];
  const cancelRun = scheduler.after(5, () => seen.push("first"));
  scheduler.after(10, () => seen.push("second"));
  const cancel = scheduler.after(15, () => seen.push("cancelled"));
  cancel();
  advance(5);
  for (const again of [cancelRun, cancel]) again();
  advance(10);
  expect(seen).toEqual(["first", "second"]);
});

test("runs come in order of time, whatever the order of scheduling and cancelling", () => {
  const random = seededRandom(7);
  const { clock, scheduler, advance } = simulatedTime();
  const wanted: number[] = [];
  const seen: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const delayMs = below(random, 500);
    const cancel = scheduler.after(delayMs, () => seen.push(clock.nowMs()));
    if (random() < 0.5) cancel();
    else wanted.push(delayMs);
  }
  advance(500);
  expect(seen).toEqual(wanted.toSorted((a, b) => a - b));
});

test("a run that reschedules itself without delay is found, not waited for", () => {
  const { scheduler, advance } = simulatedTime();
  const again = (): void => void scheduler.after(0, again);
  again();
  expect(() => advance(1)).toThrow("something reschedules itself with delay 0");
});
