import { expect, test } from "bun:test";
import { simulatedTime } from "../../base/index.ts";
import { GuardedCalls } from "./guarded-calls.ts";

test("after five failures in a row calls are refused for half a second and then longer; one is tried", async () => {
  const time = simulatedTime();
  const guarded = new GuardedCalls(time.clock);
  let calls = 0;
  const fail = () => guarded.run(() => Promise.reject(new Error(String(++calls))));
  for (let index = 0; index < 8; index += 1) expect(await fail()).toBe("failed");
  expect(calls).toBe(5);
  time.advance(500);
  await Promise.all([fail(), fail(), fail()]);
  expect(calls).toBe(6);
  time.advance(1000);
  expect(await guarded.run(async () => "up")).toBe("up");
  expect(await Promise.all([1, 2].map((value) => guarded.run(async () => value)))).toEqual([1, 2]);
  expect(guarded.failed).toBe(11);
});

test("failures that are not in a row refuse nothing", async () => {
  const guarded = new GuardedCalls(simulatedTime().clock);
  for (let index = 0; index < 20; index += 1) {
    await guarded.run(() => (index % 4 === 3 ? Promise.resolve(1) : Promise.reject(new Error("x"))));
    expect(guarded.isRefusing).toBe(false);
  }
});
