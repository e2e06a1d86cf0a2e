import { expect, test } from "bun:test";
import { systemClock } from "./clock.ts";
import { systemScheduler } from "./scheduler.ts";

const after = (delayMs: number): Promise<void> =>
  new Promise((resolve) => void systemScheduler.after(delayMs, resolve));

test("a run comes after its delay, never during the call", async () => {
  const startMs = systemClock.nowMs();
  let ran = false;
  systemScheduler.after(0, () => (ran = true));
  expect(ran).toBe(false);
  await after(20);
  expect(ran).toBe(true);
  // The event loop counts whole milliseconds, so it may seem up to one early.
  expect(systemClock.nowMs() - startMs).toBeGreaterThan(19);
});

test("a cancelled run does not come, and cancelling twice is harmless", async () => {
  let ran = false;
  const cancel = systemScheduler.after(1, () => (ran = true));
  cancel();
  cancel();
  await after(5);
  expect(ran).toBe(false);
});

test("a delay beyond the event loop's longest does not fire at once", async () => {
  let ran = false;
  const cancel = systemScheduler.after(2 ** 31 + 1000, () => (ran = true));
  await after(5);
  cancel();
  expect(ran).toBe(false);
});
