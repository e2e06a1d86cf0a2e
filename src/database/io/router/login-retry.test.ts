import { expect, test } from "bun:test";
import { LoginRetry } from "./login-retry.ts";

const SETTINGS = { loginRetryMinMs: 100, loginRetryMaxMs: 15_000 };

/** Waits after so many failures one after the other, ms. */
function waits(isLeased: boolean, failures: number): number[] {
  const retry = new LoginRetry(isLeased, () => 0.5);
  const found: number[] = [];
  let nowMs = 0;
  for (let n = 0; n < failures; n++) {
    retry.failed(nowMs, SETTINGS);
    const failedMs = nowMs;
    while (!retry.isDue(nowMs)) nowMs++;
    found.push(nowMs - failedMs);
  }
  return found;
}

test("a pool waits twice as long after each failure, up to the longest wait", () => {
  expect(waits(false, 9)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000]);
});

test("one that follows a lease waits a second at most", () => {
  expect(waits(true, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
});

test("attempts that fail together are one failure, and a server that is back is tried at once", () => {
  const retry = new LoginRetry(false, () => 0.5);
  for (let n = 0; n < 10; n++) retry.failed(1000, SETTINGS);
  expect([retry.isDue(1099), retry.isDue(1100), retry.hasFailed]).toEqual([false, true, true]);
  retry.reset();
  expect([retry.isDue(0), retry.hasFailed]).toEqual([true, false]);
});
