import { describe, expect, test } from "bun:test";
import { type SimulatedTime, simulatedTime } from "../../base/index.ts";
import { GuardedCalls } from "./guarded-calls.ts";
import { newCounters } from "./stats.ts";
import { memoryVersions } from "./versions/memory-versions.ts";
import { EVERYTHING, MARK_MS, SCHEMA, type VersionStore } from "./versions/versions.ts";
import { WriteGuard, WriteUnmarkedError } from "./write-guard.ts";

/** A guard over versions in memory that can be cut off. */
function world(refusesUnmarked = false) {
  const time: SimulatedTime = simulatedTime();
  const memory = memoryVersions({ clock: time.clock });
  const link = { isUp: true };
  const over =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      link.isUp ? call(...args) : Promise.reject(new Error("cut off"));
  const versions: VersionStore = {
    markMs: memory.markMs,
    snapshot: over(memory.snapshot),
    before: over(memory.before),
    renew: over(memory.renew),
    committed: over(memory.committed),
    rolledBack: over(memory.rolledBack),
  };
  const counters = newCounters();
  const { clock, scheduler } = time;
  const guard = new WriteGuard({
    versions,
    breaker: new GuardedCalls(clock),
    scheduler,
    counters,
    refusesUnmarked,
  });
  const schema = async (): Promise<string> => (await memory.snapshot([SCHEMA]))?.[0] ?? "";
  /** Lets time pass, and what waits for it run. */
  const pass = async (ms: number): Promise<void> => {
    time.advance(ms);
    await Bun.sleep(0);
  };
  return { memory, link, guard, counters, schema, pass };
}

describe("a write", () => {
  test("is marked until it is settled", async () => {
    const { guard, memory, schema } = world();
    const before = await memory.snapshot(["a"]);
    const write = await guard.announce(["a"], await schema());
    expect(await memory.snapshot(["a"])).toBeUndefined();
    await guard.settle(write, "committed");
    expect(await memory.snapshot(["a"])).not.toEqual(before);
  });

  test("that came to nothing leaves the versions", async () => {
    const { guard, memory, schema } = world();
    const before = await memory.snapshot(["a"]);
    await guard.settle(await guard.announce(["a"], await schema()), "rolled-back");
    expect(await memory.snapshot(["a"])).toEqual(before);
  });

  test("of which nobody knows keeps its mark until that expires", async () => {
    const { guard, memory, schema, pass } = world();
    const before = await memory.snapshot(["a"]);
    await guard.settle(await guard.announce(["a"], await schema()), "unknown");
    expect(await memory.snapshot(["a"])).toBeUndefined();
    await pass(MARK_MS);
    expect(await memory.snapshot(["a"])).not.toEqual(before);
  });

  test("that takes long stays marked", async () => {
    const { guard, memory, schema, pass } = world();
    const write = await guard.announce(["a"], await schema());
    for (let passed = 0; passed < 3 * MARK_MS; passed += MARK_MS / 4) await pass(MARK_MS / 4);
    expect(await memory.snapshot(["a"])).toBeUndefined();
    await guard.settle(write, "committed");
    expect(await memory.snapshot(["a"])).toBeDefined();
  });

  test("found with an old catalog marks everything", async () => {
    const { guard, memory } = world();
    const write = await guard.announce(["a"], "old");
    expect(write.token.tables).toEqual([EVERYTHING]);
    expect(await memory.snapshot(["a"])).toBeDefined();
    expect(await memory.snapshot([EVERYTHING])).toBeUndefined();
    await guard.settle(write, "committed");
  });

  test("changes everything when a definition changed before it was committed", async () => {
    const { guard, memory, schema } = world();
    const write = await guard.announce(["a"], await schema());
    const before = await memory.snapshot([EVERYTHING]);
    await memory.committed({ id: "", tables: [SCHEMA], schema: undefined });
    await guard.settle(write, "committed");
    expect(await memory.snapshot([EVERYTHING])).not.toEqual(before);
  });
});

describe("a write while the store is cut off", () => {
  test("goes on, is told again until the store has it, and its tables are known as untold", async () => {
    const { guard, memory, link, counters, pass } = world();
    const before = await memory.snapshot(["a"]);
    link.isUp = false;
    const write = await guard.announce(["a"], "1");
    await guard.settle(write, "committed");
    expect(guard.isUntold(["a", "b"])).toBe(true);
    expect(guard.isUntold(["b"])).toBe(false);
    await pass(1000);
    expect(await memory.snapshot(["a"])).toEqual(before);
    link.isUp = true;
    await pass(1000);
    expect(guard.isUntold(["a"])).toBe(false);
    expect(await memory.snapshot(["a"])).not.toEqual(before);
    expect(counters).toMatchObject({ unmarked: 1, writes: 1 });
  });

  test("is refused where the user wants that", async () => {
    const { guard, link } = world(true);
    link.isUp = false;
    expect(guard.announce(["a"], "1")).rejects.toBeInstanceOf(WriteUnmarkedError);
  });

  test("that was marked before keeps its mark", async () => {
    const { guard, memory, link, schema } = world();
    const write = await guard.announce(["a"], await schema());
    link.isUp = false;
    await guard.settle(write, "committed");
    expect(await memory.snapshot(["a"])).toBeUndefined();
    expect(guard.isUntold(["a"])).toBe(true);
  });
});
