/** Several caches over one shared store, as that many processes have. */
import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { MemoryStore } from "./store/memory-store.ts";
import { type Deferred, deferred, testCache, turns } from "./testing.ts";

describe("with a shared store", () => {
  /** `count` caches that share one store, as that many processes would. */
  function processes(count: number, settings: object = {}) {
    const first = testCache({});
    const memory = new MemoryStore(first.clock);
    const time = { clock: first.clock, scheduler: first.scheduler, advance: first.advance };
    return {
      advance: first.advance,
      all: Array.from({ length: count }, () => testCache(settings, memory.view(), time).cache),
    };
  }

  test("1,000 who miss at once in 4 processes cause one load", async () => {
    const { all, advance } = processes(4);
    const load: Deferred<string> = deferred();
    let loads = 0;
    const asked = Array.from({ length: 1000 }, (_, at) =>
      all[at % 4]!.getOrSet("k", () => (loads++, load.promise)),
    );
    await turns();
    load.resolve("v");
    for (let step = 0; step < 50; step++) {
      advance(10);
      await turns();
    }
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["v"]));
    expect(loads).toBe(1);
  });

  test("a value that cannot be written is refused by name, and leaves what there is", async () => {
    const { all } = processes(2);
    const [one, other] = all as [(typeof all)[0], (typeof all)[0]];
    await one.set("k", "old");
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const refusal = (error: Error): string => error.message;
    for (const value of [circle, 1n, () => 1]) {
      const refusals = await Promise.all([
        one.set("k", value).catch(refusal),
        one.writeThrough("k", value, async () => {}).catch(refusal),
        one.getOrSet("k2", () => value).catch(refusal),
      ]);
      for (const [at, message] of refusals.entries())
        expect(message).toStartWith(
          `the value cannot be written for the shared store (key "k${at === 2 ? 2 : ""}")`,
        );
    }
    expect([await one.get("k"), await other.get("k")]).toEqual(["old", "old"]);
  });

  test("a slow load is one load, as long as its process lives", async () => {
    const { all, advance } = processes(2, { hardTimeout: "10s" });
    const slow: Deferred<string> = deferred();
    let loads = 0;
    const load = () => (loads++, slow.promise);
    const asked = [all[0]!.getOrSet("slow", load), all[1]!.getOrSet("slow", load)];
    for (let step = 0; step < 90; step++) {
      advance(100);
      await turns();
    }
    slow.resolve("v");
    for (let step = 0; step < 20; step++) {
      advance(10);
      await turns();
    }
    expect([await Promise.all(asked), loads]).toEqual([["v", "v"], 1]);
  });

  test("of a process that died in a load the lease ends after two seconds, and another loads", async () => {
    const time = simulatedTime();
    const memory = new MemoryStore(time.clock);
    const { cache } = testCache({}, memory.view(), time);
    await memory.view().lookup("k", { token: "of the dead", leaseMs: 2000, refresh: false });
    const asked = cache.getOrSet("k", () => "v");
    let waitedMs = 0;
    for (; cache.stats().loads === 0 && waitedMs < 9000; waitedMs += 10) {
      time.advance(10);
      await turns();
    }
    expect([await asked, waitedMs > 1900, waitedMs < 2200]).toEqual(["v", true, true]);
  });

  test("a load that was given up keeps its lease no longer", async () => {
    const {
      all: [a, b],
      advance,
    } = processes(2, { hardTimeout: "3s" });
    const given = a!
      .getOrSet("k", () => new Promise(() => {}))
      .catch((error: { code: string }) => error.code);
    for (let step = 0; step < 60; step++) {
      advance(100);
      await turns();
    }
    expect(await given).toBe("load-timeout");
    expect(await b!.getOrSet("k", () => "v")).toBe("v");
  });

  test("an invalidation reaches the memory of the others", async () => {
    const {
      all: [a, b],
    } = processes(2);
    await a!.getOrSet("k", () => "old", { tags: ["t"] });
    expect(await b!.get<string>("k")).toBe("old");
    await a!.invalidate({ tags: ["t"] });
    expect(await b!.get("k")).toBeUndefined();
  });

  test("an invalidation elsewhere during a load voids its set, here and in the store", async () => {
    const {
      all: [a, b],
    } = processes(2);
    const load = deferred<string>();
    const early = a!.getOrSet("k", () => load.promise);
    await turns();
    await b!.delete("k");
    load.resolve("old");
    expect(await early).toBe("old");
    expect([await a!.get("k"), await b!.get("k")]).toEqual([undefined, undefined]);
    expect(a!.stats().voided).toBe(1);
  });

  test("memory trusts the store no longer than l1MaxAge", async () => {
    const {
      all: [a],
      advance,
    } = processes(1, { ttl: "1h", l1MaxAge: "30s" });
    await a!.set("k", "v");
    advance(30_001);
    await a!.get("k");
    expect(a!.stats().hits).toMatchObject({ l1: 0, store: 1 });
  });

  test("of two writers of one key at once neither leaves a value that the source may not have", async () => {
    const {
      all: [a, b],
    } = processes(2);
    const [slow, fast] = [deferred<void>(), deferred<void>()];
    const one = a!.writeThrough("k", "a", () => slow.promise);
    const other = b!.writeThrough("k", "b", () => fast.promise);
    await turns();
    fast.resolve();
    await other;
    slow.resolve();
    await one;
    expect([await a!.get("k"), await b!.get("k")]).toEqual([undefined, undefined]);
  });

  test("a writer alone leaves what it wrote, for all", async () => {
    const {
      all: [a, b],
    } = processes(2);
    await b!.getOrSet("k", () => "old");
    await a!.writeThrough("k", "new", async () => {});
    expect([await a!.get<string>("k"), await b!.get<string>("k")]).toEqual(["new", "new"]);
  });

  test("a write that fails leaves nothing, since the source may have taken it", async () => {
    const {
      all: [a],
    } = processes(1);
    await a!.set("k", "old");
    expect(
      await a!
        .writeThrough("k", "new", () => Promise.reject(new Error("down")))
        .catch((error: unknown) => error),
    ).toEqual(new Error("down"));
    expect(await a!.get("k")).toBeUndefined();
  });
});
