import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "./random.ts";
import { below } from "./testing.ts";
import { type TimerEntry, TimerWheel, timerEntry } from "./timer-wheel.ts";

const TICK_MS = 10;
const HOUR_MS = 3_600_000;

/** Advances tick by tick and tells after how many milliseconds the entry came. */
function firedAfterMs(delayMs: number, startMs: number): number {
  const wheel = new TimerWheel(startMs, TICK_MS);
  wheel.schedule(
    timerEntry(() => {}),
    delayMs,
  );
  let nowMs = startMs;
  while (wheel.size > 0) wheel.advance((nowMs += TICK_MS));
  return nowMs - startMs;
}

describe("an entry comes at its time or within a tick, never before", () => {
  test.each([0, 1, 10, 11, 639, 640, 641, 40_959, 40_960, 40_961, 2_621_440, HOUR_MS])("%p ms", (delayMs) => {
    for (const startMs of [0, 7.5, 12_345_678.9]) {
      const lateMs = firedAfterMs(delayMs, startMs) - delayMs;
      expect(lateMs).toBeGreaterThanOrEqual(-1e-6);
      expect(lateMs).toBeLessThan(2 * TICK_MS);
    }
  });

  test("with ticks beyond 32 bits", () => {
    for (const ticks of [2 ** 31, 2 ** 32, 2 ** 40]) {
      expect(firedAfterMs(10_000, (ticks - 500) * TICK_MS)).toBe(10_000);
    }
  });

  test("beyond the span of all wheels", () => {
    const wheel = new TimerWheel(0, 1);
    const delayMs = 64 ** 4 + 100;
    let fired = false;
    wheel.schedule(
      timerEntry(() => (fired = true)),
      delayMs,
    );
    wheel.advance(delayMs - 1);
    expect(fired).toBe(false);
    wheel.advance(delayMs);
    expect(fired).toBe(true);
  });
});

test("an empty wheel jumps over any time", () => {
  const wheel = new TimerWheel(0, 1);
  let fired = 0;
  wheel.advance(1e15);
  wheel.schedule(
    timerEntry(() => fired++),
    10,
  );
  wheel.advance(1e15 + 10);
  expect(fired).toBe(1);
});

test("an entry that already waits is moved, sooner or later", () => {
  const wheel = new TimerWheel(0, 1);
  const fired: string[] = [];
  const sooner = timerEntry(() => fired.push("sooner"));
  const later = timerEntry(() => fired.push("later"));
  for (const entry of [sooner, later]) wheel.schedule(entry, 100);
  wheel.schedule(sooner, 5);
  wheel.schedule(later, 5000);
  wheel.advance(4999);
  expect([fired, wheel.size]).toEqual([["sooner"], 1]);
  wheel.advance(5000);
  expect([fired, wheel.size]).toEqual([["sooner", "later"], 0]);
});

test("an entry comes once, and may be scheduled again from its own call", () => {
  const wheel = new TimerWheel(0, 1);
  const firedMs: number[] = [];
  let nowMs = 0;
  const entry = timerEntry(() => {
    firedMs.push(nowMs);
    if (firedMs.length < 3) wheel.schedule(entry, 10);
  });
  wheel.schedule(entry, 10);
  for (nowMs = 0; nowMs < 100; nowMs++) wheel.advance(nowMs);
  expect(firedMs).toEqual([10, 20, 30]);
});

test("an entry may cancel another of the same tick", () => {
  const wheel = new TimerWheel(0, 1);
  const fired: string[] = [];
  const entries: TimerEntry[] = ["a", "b"].map((name, at) =>
    timerEntry(() => {
      fired.push(name);
      wheel.cancel(entries[1 - at]!);
    }),
  );
  for (const entry of entries) wheel.schedule(entry, 10);
  wheel.advance(20);
  expect([fired.length, wheel.size]).toEqual([1, 0]);
});

test("cancelling what does not wait is harmless", () => {
  const wheel = new TimerWheel(0);
  const entry = timerEntry(() => {});
  wheel.cancel(entry);
  wheel.schedule(entry, 10);
  wheel.cancel(entry);
  wheel.cancel(entry);
  expect(wheel.size).toBe(0);
});

test("an entry that throws takes no other of its tick with it", () => {
  const wheel = new TimerWheel(0, 1);
  let fired = 0;
  const failing = timerEntry(() => {
    throw new Error("from the entry");
  });
  for (const entry of [failing, timerEntry(() => fired++)]) wheel.schedule(entry, 10);
  expect(() => wheel.advance(50)).toThrow("from the entry");
  wheel.advance(50);
  expect(fired).toBe(1);
});

test("time does not move back", () => {
  const wheel = new TimerWheel(1000, 1);
  let fired = 0;
  wheel.advance(0);
  wheel.schedule(
    timerEntry(() => fired++),
    10,
  );
  wheel.advance(1009);
  expect(fired).toBe(0);
  wheel.advance(1010);
  expect(fired).toBe(1);
});

/** The wheel's rule, kept in a plain map: what is due comes in order of ticks. */
class NaiveTimers {
  readonly due = new Map<number, number>();
  nowMs = 0;

  schedule(id: number, delayMs: number): void {
    this.due.set(id, Math.max(this.nowMs + 1, Math.ceil(this.nowMs + delayMs)));
  }

  advance(nowMs: number): string[] {
    this.nowMs = nowMs;
    const fired = [...this.due].filter(([, tick]) => tick <= nowMs);
    for (const [id] of fired) this.due.delete(id);
    return fired.toSorted(([idA, a], [idB, b]) => a - b || idA - idB).map(([id, tick]) => `${id}@${tick}`);
  }
}

/** Mostly short, sometimes up to five hours of ticks. */
function anyDelay(random: Random): number {
  return below(random, 2 ** below(random, 21));
}

test.each([1, 2, 3, 4, 5])("agrees with a sorted list over random operations, seed %p", (seed) => {
  const random = seededRandom(seed);
  const wheel = new TimerWheel(0, 1);
  const naive = new NaiveTimers();
  let fired: TimerEntry[] = [];
  const entries: TimerEntry[] = Array.from({ length: 200 }, () => timerEntry(() => {}));
  for (const entry of entries) entry.onTimer = () => fired.push(entry);
  const named = (entry: TimerEntry): string => `${entries.indexOf(entry)}@${entry.timerTick}`;

  const operations = [
    (id: number): void => {
      const delayMs = anyDelay(random);
      wheel.schedule(entries[id]!, delayMs);
      naive.schedule(id, delayMs);
    },
    (id: number): void => {
      wheel.cancel(entries[id]!);
      naive.due.delete(id);
    },
    (): void => {
      const nowMs = naive.nowMs + below(random, 2 ** below(random, 16));
      fired = [];
      wheel.advance(nowMs);
      const inOrder = fired.toSorted(
        (a, b) => a.timerTick - b.timerTick || entries.indexOf(a) - entries.indexOf(b),
      );
      expect(fired.map((entry) => entry.timerTick)).toEqual(inOrder.map((entry) => entry.timerTick));
      expect(inOrder.map(named)).toEqual(naive.advance(nowMs));
    },
  ];
  for (let i = 0; i < 4000; i++) {
    operations[[0, 0, 0, 1, 2][below(random, 5)]!]!(below(random, entries.length));
    expect(wheel.size).toBe(naive.due.size);
  }
});
