import { expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { PrefixLimiter } from "./limiter.ts";

test("a prefix gets two seconds' worth at once, then every second query is told to come by TCP, the others nothing", () => {
  const { clock, advance } = simulatedTime();
  const limiter = new PrefixLimiter(10, clock);
  const take = (source: string): string => limiter.take(source);
  expect(
    Array.from({ length: 20 }, (_, at) => take(`192.0.2.${at}`)).every((verdict) => verdict === "answer"),
  ).toBe(true);
  expect(["192.0.2.99", "192.0.2.1", "192.0.2.2"].map(take)).toEqual(["truncate", "drop", "truncate"]);
  expect(take("192.0.3.1")).toBe("answer");
  advance(100);
  expect(["192.0.2.99", "192.0.2.1"].map(take)).toEqual(["answer", "drop"]);
});

test("a prefix of IPv6 is a /56, one of IPv4 the same mapped or not", () => {
  const limiter = new PrefixLimiter(1, simulatedTime().clock);
  const take = (source: string): string => limiter.take(source);
  expect(["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:ff::", "2001:db8:0:100::"].map(take)).toEqual([
    "answer",
    "answer",
    "truncate",
    "answer",
  ]);
  expect(["192.0.2.1", "::ffff:192.0.2.2", "192.0.2.3"].map(take)).toEqual(["answer", "answer", "truncate"]);
});

test("0 is no limit", () => {
  const limiter = new PrefixLimiter(0, simulatedTime().clock);
  expect(
    Array.from({ length: 1000 }, () => limiter.take("192.0.2.1")).every((verdict) => verdict === "answer"),
  ).toBe(true);
});

test("however many prefixes there are, memory is bounded", () => {
  const limiter = new PrefixLimiter(1, simulatedTime().clock);
  for (let prefix = 0; prefix < 70_000; prefix++) {
    limiter.take(`${10 + (prefix >> 16)}.${(prefix >> 8) & 255}.${prefix & 255}.1`);
  }
  expect(limiter.size).toBe(65_536);
});
