import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../../base/index.ts";
import { turns } from "../testing.ts";
import { Breaker } from "./breaker.ts";
import { guarded } from "./guarded-store.ts";
import { MemoryStore } from "./memory-store.ts";
import type { SharedStore } from "./store.ts";
import { newValue } from "./suite.ts";

type Mood = "well" | "hangs" | "fails";

/** A store that does as it is told, behind a guard. */
function setUp() {
  const time = simulatedTime();
  const memory = new MemoryStore(time.clock);
  const view = memory.view();
  const state = { mood: "well" as Mood, calls: [] as string[] };
  const moody = Object.fromEntries(
    Object.entries(view).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        state.calls.push(name);
        if (state.mood === "hangs") return new Promise(() => {});
        if (state.mood === "fails") return Promise.reject(new Error("broken"));
        return (call as (...all: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as SharedStore;
  const store = guarded(moody, { name: "test", deadlineMs: 50, ...time });
  return { ...time, store, state, direct: memory.view() };
}

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "none",
    (error: { code: string }) => error.code,
  );

describe("a guarded store", () => {
  test("ends a call that hangs at the deadline", async () => {
    const { store, state, advance } = setUp();
    state.mood = "hangs";
    const call = failure(store.peek("k"));
    await turns();
    advance(50);
    expect(await call).toBe("cache-server-down");
  });

  test("after five failures in a row asks nothing for half a second, then one call alone", async () => {
    const { store, state, advance } = setUp();
    state.mood = "fails";
    for (let call = 0; call < 8; call++) expect(await failure(store.peek("k"))).toBe("cache-server-down");
    expect(state.calls).toHaveLength(5);
    advance(500);
    await Promise.all([failure(store.peek("k")), failure(store.peek("k"))]);
    expect(state.calls).toHaveLength(6);
    state.mood = "well";
    advance(999);
    expect(await failure(store.peek("k"))).toBe("cache-server-down"); // twice as long now
    advance(1);
    expect(await failure(store.peek("k"))).toBe("none");
    expect(store.state).toEqual({ isRefusing: false, owed: 0 });
  });

  test("owes an invalidation that failed, and tells it before anything else", async () => {
    const { store, state, direct } = setUp();
    await direct.put("k", newValue("old"));
    state.mood = "fails";
    expect(await failure(store.invalidate({ kind: "key", key: "k", soft: false }))).toBe("cache-server-down");
    expect(store.state.owed).toBe(1);
    state.mood = "well";
    expect(await store.peek("k")).toBeUndefined();
    expect(state.calls.slice(-2)).toEqual(["invalidate", "peek"]);
    expect(store.state.owed).toBe(0);
  });

  test("owes an invalidation for a write of which nobody knows whether it arrived", async () => {
    const { store, state, advance } = setUp();
    state.mood = "hangs";
    const put = failure(store.put("k", newValue("new")));
    await turns();
    advance(50);
    await put;
    expect(store.state.owed).toBe(1);
  });

  test("tells what it owes by itself when nobody asks", async () => {
    const { store, state, direct, advance } = setUp();
    await direct.put("k", newValue("old"));
    state.mood = "fails";
    await failure(store.invalidate({ kind: "tag", tag: "t" }));
    await failure(store.invalidate({ kind: "key", key: "k", soft: false }));
    state.mood = "well";
    for (let step = 0; step < 5; step++) {
      advance(250);
      await turns();
    }
    expect(await direct.peek("k")).toBeUndefined();
  });

  test("owes no more than a thousand: then everything is invalidated once", async () => {
    const { store, state, direct } = setUp();
    await direct.put("other", newValue("v"));
    state.mood = "fails";
    for (let key = 0; key < 1001; key++)
      await failure(store.invalidate({ kind: "key", key: `k${key}`, soft: false }));
    expect(store.state.owed).toBe(1);
    state.mood = "well";
    for (let attempt = 0; attempt < 3; attempt++) await failure(store.peek("k"));
  });
});

test("a breaker that nobody reports to lets one probe through, not more", () => {
  const { clock, advance } = simulatedTime();
  const breaker = new Breaker(clock);
  for (let failed = 0; failed < 5; failed++) breaker.failed();
  expect([breaker.isOpen, breaker.mayTry()]).toEqual([true, false]);
  advance(500);
  expect([breaker.mayTry(), breaker.mayTry()]).toEqual([true, false]);
  breaker.succeeded();
  expect([breaker.isOpen, breaker.mayTry()]).toEqual([false, true]);
});
