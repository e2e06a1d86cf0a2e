import { describe, expect, test } from "bun:test";
import { refreshesEarly } from "./early-refresh.ts";
import { CacheError } from "./errors.ts";
import { deferred, testCache, turns } from "./testing.ts";

const codeOf = (error: unknown): unknown => (error instanceof CacheError ? error.code : error);
const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch(codeOf);

describe("getOrSet", () => {
  test("loads once, and then answers from memory until the time to live is over", async () => {
    const { cache, advance } = testCache({ ttl: "1s" });
    let loads = 0;
    const get = (): Promise<number> => cache.getOrSet("k", () => ++loads);
    expect([await get(), await get()]).toEqual([1, 1]);
    advance(999);
    expect(await get()).toBe(1);
    advance(2);
    expect(await get()).toBe(2);
  });

  test("gives many who ask at once the result of one load", async () => {
    const { cache } = testCache();
    const load = deferred<string>();
    let loads = 0;
    const all = Array.from({ length: 100 }, () => cache.getOrSet("k", () => (loads++, load.promise)));
    load.resolve("v");
    expect(new Set(await Promise.all(all))).toEqual(new Set(["v"]));
    expect(loads).toBe(1);
  });

  test("passes on the loader's error, and tries again at the next call", async () => {
    const { cache } = testCache();
    const broken = new Error("down");
    expect(await outcome(cache.getOrSet("k", () => Promise.reject(broken)))).toBe(broken);
    expect(
      await outcome(
        cache.getOrSet("k", () => {
          throw broken;
        }),
      ),
    ).toBe(broken);
    expect(await cache.getOrSet("k", () => "v")).toBe("v");
  });

  test("refuses undefined with an error that says what to return, and does not keep it", async () => {
    const { cache } = testCache();
    expect(await outcome(cache.getOrSet("k", () => undefined))).toBe("load-undefined");
    expect(await cache.getOrSet("k", () => null)).toBeNull();
  });

  test("remembers that something does not exist for the negative time to live alone", async () => {
    const { cache, advance } = testCache({ ttl: "1h", negativeTtl: "1s" });
    let loads = 0;
    const get = (): Promise<undefined> => cache.getOrSet("k", () => void loads++);
    await get();
    await get();
    expect(loads).toBe(1);
    advance(1001);
    await get();
    expect(loads).toBe(2);
  });

  test("gives up a loader that hangs at the hard timeout, aborts it, and the next call loads anew", async () => {
    const { cache, advance } = testCache({ hardTimeout: "2s" });
    let signal: AbortSignal | undefined;
    const hung = outcome(
      cache.getOrSet("k", (context) => ((signal = context.signal), new Promise(() => {}))),
    );
    await turns();
    advance(2000);
    expect(await hung).toBe("load-timeout");
    expect(signal?.aborted).toBe(true);
    expect(await cache.getOrSet("k", () => "v")).toBe("v");
  });

  test("spreads lifetimes by a tenth, so that what was set together does not expire together", async () => {
    const { cache, l1 } = testCache({ ttl: 1000, jitter: 0.1 });
    for (let key = 0; key < 200; key++) await cache.getOrSet(`k${key}`, () => key);
    const left = Array.from(
      { length: 200 },
      (_, key) => (l1.peek(`k${key}`)?.freshUntilMs ?? 0) - l1.nowMs(),
    );
    expect(Math.min(...left)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...left)).toBeLessThanOrEqual(1100);
    expect(Math.max(...left) - Math.min(...left)).toBeGreaterThan(150);
  });
});

describe("grace", () => {
  async function stale(settings: object): Promise<ReturnType<typeof testCache>> {
    const made = testCache({ ttl: "1s", grace: "1m", ...settings });
    await made.cache.getOrSet("k", () => "old");
    made.advance(1500);
    return made;
  }

  test("a slow load is answered with the stale value at the soft timeout, and its result is kept", async () => {
    const { cache, advance } = await stale({ softTimeout: "100ms" });
    const load = deferred<string>();
    const answer = cache.getOrSet("k", () => load.promise);
    await turns();
    advance(100);
    expect(await answer).toBe("old");
    load.resolve("new");
    await turns();
    expect(await cache.get("k")).toBe("new");
    expect(cache.stats().outcomes["stale-slow"]).toBe(1);
  });

  test("a soft timeout of zero never waits", async () => {
    const { cache } = await stale({ softTimeout: 0 });
    expect(await cache.getOrSet("k", () => new Promise<string>(() => {}))).toBe("old");
  });

  test("a fast load is waited for", async () => {
    const { cache } = await stale({ softTimeout: "100ms" });
    expect(await cache.getOrSet("k", () => "new")).toBe("new");
  });

  test("a failed load is answered with the stale value, and not tried again for a second", async () => {
    const { cache, advance } = await stale({});
    let loads = 0;
    const get = (): Promise<string> =>
      cache.getOrSet("k", () => (loads++, Promise.reject(new Error("down"))));
    expect([await get(), await get(), await get()]).toEqual(["old", "old", "old"]);
    expect(loads).toBe(1);
    advance(1001);
    await get();
    expect(loads).toBe(2);
  });

  test("past the grace there is nothing stale to serve", async () => {
    const { cache, advance } = await stale({});
    advance(60_000);
    expect(await outcome(cache.getOrSet("k", () => Promise.reject(new Error("down"))))).toEqual(
      new Error("down"),
    );
  });
});

describe("invalidation", () => {
  const invalidations = {
    "by key": { keys: ["user:1"] },
    "by tag": { tags: ["users"] },
    "by prefix": { prefix: "user:" },
    "of everything": { all: true },
  };

  test.each(Object.entries(invalidations))("%s makes a read load again", async (_, invalidation) => {
    const { cache } = testCache({ tags: ["users"] });
    await cache.getOrSet("user:1", () => "old");
    await cache.invalidate(invalidation);
    expect(await cache.get("user:1")).toBeUndefined();
    expect(await cache.getOrSet("user:1", () => "new")).toBe("new");
  });

  test.each(Object.entries(invalidations))(
    "%s during a load voids its set: nothing stale is kept",
    async (_, invalidation) => {
      const { cache } = testCache({ tags: ["users"] });
      const load = deferred<string>();
      const early = cache.getOrSet("user:1", () => load.promise);
      await turns();
      await cache.invalidate(invalidation);
      const late = cache.getOrSet("user:1", () => "new");
      load.resolve("old");
      expect([await early, await late]).toEqual(["old", "new"]);
      expect(await cache.get("user:1")).toBe("new");
    },
  );

  test("tags that follow from the value are as good: versions are noted before the load", async () => {
    const { cache } = testCache();
    const load = deferred<{ team: string }>();
    const tags = (value: { team: string }): string[] => [`team:${value.team}`];
    const early = cache.getOrSet("user:1", () => load.promise, { tags });
    await turns();
    await cache.invalidate({ tags: ["team:a"] });
    load.resolve({ team: "a" });
    await early;
    expect(await cache.get("user:1")).toBeUndefined();
  });

  test("by tag leaves other loads under way alone: who asks for them joins", async () => {
    const { cache } = testCache();
    const load = deferred<string>();
    let loads = 0;
    const get = (): Promise<string> => cache.getOrSet("k", () => (loads++, load.promise), { tags: ["a"] });
    const early = get();
    await turns();
    await cache.invalidate({ tags: ["b"], prefix: "x" });
    const late = get();
    load.resolve("v");
    expect([await early, await late, loads]).toEqual(["v", "v", 1]);
    expect(await cache.get<string>("k")).toBe("v");
  });

  test("leaves alone what has another tag or prefix", async () => {
    const { cache } = testCache();
    await cache.getOrSet("user:1", () => 1, { tags: ["a"] });
    await cache.getOrSet("order:1", () => 2, { tags: ["b"] });
    await cache.invalidate({ tags: ["a"], prefix: "users" });
    expect([await cache.get("user:1"), await cache.get<number>("order:1")]).toEqual([undefined, 2]);
  });

  test("by event does what its row says, and an unknown event is an error that names the known ones", async () => {
    const { cache } = testCache({
      events: { "user.changed": ({ id }: { id: number }) => ({ keys: [`user:${id}`] }) },
    });
    await cache.set("user:1", "v");
    await cache.emit("user.changed", { id: 1 });
    expect(await cache.get("user:1")).toBeUndefined();
    expect(() => cache.emit("user.chnged")).toThrow("there are user.changed");
  });

  test("a soft one serves the old value while the new one is loaded", async () => {
    const { cache } = testCache({ grace: "1m", softTimeout: 0 });
    await cache.set("k", "old");
    await cache.invalidate({ keys: ["k"], soft: true });
    expect(await cache.get("k")).toBeUndefined();
    expect(await cache.getOrSet("k", () => "new")).toBe("old");
    await turns();
    expect(await cache.getOrSet("k", () => "newer")).toBe("new");
  });
});

describe("getMany", () => {
  test("loads what is missing in one batch, each key once", async () => {
    const { cache } = testCache();
    await cache.set("a", 1);
    const asked: string[][] = [];
    const loadMany = (keys: readonly string[]): Map<string, number> => {
      asked.push([...keys]);
      return new Map(keys.filter((key) => key !== "d").map((key) => [key, 2]));
    };
    const found = await cache.getMany(["a", "b", "c", "b", "d"], loadMany);
    expect([...found]).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 2],
    ]);
    expect(asked).toEqual([["b", "c", "d"]]);
    expect([...(await cache.getMany(["a", "b"]))]).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  test("refuses a batch loader that returns no Map", async () => {
    const { cache } = testCache();
    expect(await outcome(cache.getMany(["a"], () => [1] as never))).toBe("batch-incomplete");
  });
});

describe("early refresh (XFetch)", () => {
  test("the chance is e^(-t / load time), as the paper has it", () => {
    const share = (leftMs: number): number => {
      let refreshed = 0;
      for (let draw = 0; draw < 100_000; draw++)
        if (refreshesEarly(leftMs, 100, 1, () => draw / 100_000)) refreshed++;
      return refreshed / 100_000;
    };
    expect(share(100)).toBeCloseTo(0.368, 3);
    expect(share(200)).toBeCloseTo(0.135, 3);
    expect(share(300)).toBeCloseTo(0.0498, 3);
    expect(share(500)).toBeCloseTo(0.0067, 3);
  });

  test("a value whose load took long is refreshed in the background before its end", async () => {
    const { cache, advance, clock } = testCache({ ttl: "10s" });
    let loads = 0;
    const load = async (): Promise<number> => {
      if (loads === 0) advance(1000); // the first load takes a second
      return ++loads;
    };
    await cache.getOrSet("k", load);
    let latest = 0;
    for (; latest < 2 && clock.nowMs() < 10_900; advance(50), await turns())
      latest = await cache.getOrSet("k", load);
    expect(latest).toBe(2);
    expect(cache.stats()).toMatchObject({ earlyRefreshes: 1, loads: 2 });
  });
});

describe("looking", () => {
  test("explain says where a key is and why", async () => {
    const { cache, advance } = testCache({ ttl: "1s", grace: "1s" });
    expect(await cache.explain("k")).toMatchObject({ reason: "not-there" });
    await cache.set("k", "v", { tags: ["t"] });
    expect(await cache.explain("k")).toMatchObject({
      reason: "fresh-in-l1",
      freshMs: 1000,
      staleMs: 2000,
      tags: ["t"],
    });
    advance(1500);
    expect(await cache.explain("k")).toMatchObject({ reason: "stale-in-l1", freshMs: -500 });
  });

  test("metrics are text that Prometheus reads", async () => {
    const { cache } = testCache({ name: "users" });
    await cache.getOrSet("k", () => 1);
    await cache.getOrSet("k", () => 1);
    expect(cache.metrics()).toContain('tenfold_app_cache_reads_total{cache="users",result="hit"} 1\n');
    expect(cache.metrics()).toContain('tenfold_app_cache_loads_total{cache="users",result="ok"} 1\n');
  });

  test("a closed cache says so", async () => {
    const { cache } = testCache();
    await cache.close();
    expect(await outcome(cache.getOrSet("k", () => 1))).toBe("cache-closed");
  });

  test.each([
    [{ ttl: "5" }, 'ttl: "5" has no unit'],
    [{ max: 0 }, "max: 0 is not a whole number"],
    [{ max: 1, maxBytes: "1MiB" }, "give one of the two"],
    [{ maxBytes: "1X" }, "maxBytes: "],
    [{ eviction: "mru" as never }, "use fifo, lfu, lru, s3-fifo, w-tinylfu"],
    [{ jitter: 2 }, "jitter: 2 is not a share"],
    [{ name: "a b" }, "name: "],
  ])("settings %p are refused with a way to mend them", (settings, message) => {
    expect(() => testCache(settings)).toThrow(message);
  });
});

test("a key that is no text, or longer than any should be, is refused by every call", async () => {
  const { cache } = testCache();
  for (const key of [undefined, null, 7, "k".repeat(65_537)] as string[]) {
    expect(await outcome(cache.getOrSet(key, () => 1))).toBe("key-refused");
    expect(await outcome(cache.get(key))).toBe("key-refused");
    expect(await outcome(cache.set(key, 1))).toBe("key-refused");
    expect(await outcome(cache.getMany([key]))).toBe("key-refused");
  }
  expect(await cache.getOrSet("k".repeat(65_536), () => 1)).toBe(1);
});

test("a setting that is misspelt is refused, with those that there are", () => {
  expect(() => testCache({ maxx: 3 } as object)).toThrow(
    "maxx: there is no such setting; there are name, max,",
  );
  expect(() => testCache({ beta: Number.NaN })).toThrow("beta: NaN is not a factor");
});
