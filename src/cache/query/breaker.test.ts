import { expect, test } from "bun:test";
import { simulatedTime } from "../../base/index.ts";
import { Breaker } from "./breaker.ts";

test("after five failures in a row calls are refused for a second, then one is tried", async () => {
  const time = simulatedTime();
  const breaker = new Breaker(time.clock);
  let calls = 0;
  const fail = () => breaker.run(() => Promise.reject(new Error(String(++calls))));
  for (let index = 0; index < 8; index += 1) expect(await fail()).toBe("failed");
  expect(calls).toBe(5);
  time.advance(1000);
  await Promise.all([fail(), fail(), fail()]);
  expect(calls).toBe(6);
  time.advance(1000);
  expect(await breaker.run(async () => "up")).toBe("up");
  expect(await Promise.all([1, 2].map((value) => breaker.run(async () => value)))).toEqual([1, 2]);
  expect(breaker.failed).toBe(11);
});

test("failures that are not in a row open nothing", async () => {
  const breaker = new Breaker(simulatedTime().clock);
  for (let index = 0; index < 20; index += 1) {
    await breaker.run(() => (index % 4 === 3 ? Promise.resolve(1) : Promise.reject(new Error("x"))));
    expect(breaker.isOpen).toBe(false);
  }
});
