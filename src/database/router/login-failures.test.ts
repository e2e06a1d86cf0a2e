import { expect, test } from "bun:test";
import type { Clock } from "../../base/index.ts";
import { LoginFailures } from "./login-failures.ts";

function failuresAt(delayMs = 1000): { failures: LoginFailures; pass: (ms: number) => void } {
  let nowMs = 5_000;
  const clock = { nowMs: () => nowMs } as Clock;
  return { failures: new LoginFailures(clock, delayMs), pass: (ms) => void (nowMs += ms) };
}

test("ten failures are answered at once, further ones a second apart", () => {
  const { failures } = failuresAt();
  const waits = Array.from({ length: 13 }, () => failures.failed("10.0.0.1"));
  expect(waits).toEqual([...Array.from({ length: 10 }, () => 0), 1000, 2000, 3000]);
});

test("who waits is forgiven, one failure a second", () => {
  const { failures, pass } = failuresAt();
  for (let n = 0; n < 12; n++) failures.failed("10.0.0.1");
  pass(5_000);
  expect([1, 2, 3, 4].map(() => failures.failed("10.0.0.1"))).toEqual([0, 0, 0, 1000]);
});

test("an address with too many answers waiting is refused unseen, and no other", () => {
  const { failures, pass } = failuresAt();
  for (let n = 0; n < 40; n++) {
    expect(failures.isFlooding("10.0.0.1")).toBe(false);
    failures.failed("10.0.0.1");
  }
  expect([failures.isFlooding("10.0.0.1"), failures.isFlooding("10.0.0.2")]).toEqual([true, false]);
  pass(1_000);
  expect(failures.isFlooding("10.0.0.1")).toBe(false);
});

test("an IPv6 network counts as one address, IPv4 in IPv6 as itself", () => {
  const { failures } = failuresAt();
  for (let n = 0; n < 10; n++) failures.failed(`2001:db8::${n}`);
  expect(failures.failed("2001:db8::ffff")).toBe(1000);
  expect(failures.failed("2001:db8:0:1::1")).toBe(0);
  for (let n = 0; n < 10; n++) failures.failed("::ffff:10.0.0.1");
  expect([failures.failed("::ffff:10.0.0.1"), failures.failed("::ffff:10.0.0.2")]).toEqual([1000, 0]);
});

test("without a delay nothing waits", () => {
  const { failures } = failuresAt(0);
  for (let n = 0; n < 100; n++) expect(failures.failed("10.0.0.1")).toBe(0);
  expect(failures.isFlooding("10.0.0.1")).toBe(false);
});

test("addresses that fail without end do not fill the memory", () => {
  const { failures } = failuresAt();
  for (let n = 0; n < 12; n++) failures.failed("first");
  for (let n = 0; n < 10_000; n++) failures.failed(`10.1.${n >> 8}.${n & 255}`);
  expect(failures.failed("first")).toBe(0);
});
