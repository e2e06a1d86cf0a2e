/** The app cache on the embedded store: the same rules as on Redis and in memory. */
import { afterAll, describe, expect, test } from "bun:test";
import { createLog, systemClock, systemScheduler } from "../base/index.ts";
import { createCache, createRedisStore } from "../cache/io/index.ts";
import { storeSuite } from "../cache/store/suite.ts";
import { type RunningStore, runStore } from "./run-store.ts";

let tokens = 0;
const running: RunningStore[] = [];
afterAll(async () => {
  for (const store of running) await store.stop();
});

function start(settings: Parameters<typeof runStore>[0]["settings"] = {}): string {
  const log = createLog({ clock: systemClock, level: "error", write: () => {} });
  const store = runStore({ address: { host: "127.0.0.1", port: 0 }, data: undefined, settings, log });
  running.push(store);
  return `redis://127.0.0.1:${store.address.port}`;
}

storeSuite("embedded:", async () => {
  const url = start();
  const newToken = (): string => `origin${tokens++}`;
  return {
    open: async () =>
      createRedisStore({ url, namespace: "suite", deadlineMs: 2000, newToken, scheduler: systemScheduler }),
    pass: (ms) => Bun.sleep(ms),
    settle: () => Bun.sleep(150),
    stop: async () => {},
  };
});

describe("a cache on the embedded store", () => {
  test("shares values and invalidations", async () => {
    const store = start();
    const [one, other] = [createCache({ store, deadline: "1s" }), createCache({ store, deadline: "1s" })];
    await one.get("warm");
    expect(await one.getOrSet("k", () => "v", { tags: ["t"] })).toBe("v");
    expect(await other.getOrSet("k", () => "w")).toBe("v");
    expect(await other.invalidate({ tags: ["t"] })).toBe("everywhere");
    for (let attempt = 0; attempt < 100 && (await one.get("k")) !== undefined; attempt++) await Bun.sleep(10);
    expect(await one.getOrSet("k", () => "w")).toBe("w");
    await Promise.all([one.close(), other.close()]);
  });

  test("is bounded by the store's memory, and an invalidation is taken in a full one", async () => {
    const store = start({ maxMemoryBytes: 4_000_000, policy: "allkeys-lru" });
    const cache = createCache({ store, deadline: "1s", max: 1, compressFrom: false });
    await cache.get("warm");
    const value = "x".repeat(10_000);
    for (let batch = 0; batch < 10; batch++) {
      const sets = Array.from({ length: 100 }, (_, at) => cache.set(`k${batch * 100 + at}`, value));
      expect(new Set(await Promise.all(sets))).toEqual(new Set(["everywhere"]));
    }
    const keys = Array.from({ length: 1000 }, (_, at) => `k${at}`);
    const { size } = await cache.getMany(keys);
    expect(size).toBeGreaterThan(50);
    expect(size).toBeLessThan(450);
    await cache.set("last", value);
    await cache.set("other", value); // takes the one place in memory
    expect(await cache.delete("last")).toBe("everywhere");
    expect(await cache.get("last")).toBeUndefined();
    await cache.close();
  });
});
