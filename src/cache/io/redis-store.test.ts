import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { systemScheduler } from "../../base/index.ts";
import { hasRedis, startRedis, type TestStore } from "../../resp/testing/store-servers.ts";
import type { SharedStore } from "../store/store.ts";
import { storeSuite } from "../store/suite.ts";
import { createCache } from "./create-cache.ts";
import { createRedisStore } from "./redis-store.ts";

let tokens = 0;

function open(url: string): SharedStore {
  const newToken = (): string => `origin${tokens++}`;
  return createRedisStore({
    url,
    namespace: "suite",
    deadlineMs: 2000,
    newToken,
    scheduler: systemScheduler,
  });
}

if (hasRedis) {
  storeSuite("redis://", async () => {
    const redis = await startRedis();
    return {
      open: async () => open(redis.url),
      pass: (ms) => Bun.sleep(ms),
      settle: () => Bun.sleep(60),
      stop: redis.stop,
    };
  });
}

describe.skipIf(!hasRedis)("a cache on a real server (needs redis-server)", () => {
  let redis: TestStore;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
    const startMs = performance.now();
    const value = await work;
    return [value, performance.now() - startMs];
  };

  test("a server that loses its versions begins a new epoch: nothing from before is served", async () => {
    const store = open(redis.url);
    const value = { payload: Uint8Array.of(1), ttlMs: 60_000, graceMs: 0, loadMs: 0, tags: [] };
    await store.put("k", value);
    const lease = await store.lookup("other", { token: "t", leaseMs: 5000, refresh: false });
    expect(lease.kind).toBe("won");
    Bun.spawnSync(["redis-cli", "-p", String(redis.port), "DEL", "suite:v"]);
    expect(await store.peek("k")).toBeUndefined();
    expect(await store.fill("other", "t", value)).toBe(false);
    await store.close();
  });

  test("killed under use: calls end within the deadline with what the loader gives, and all heals", async () => {
    const cache = createCache({ name: "killed", store: redis.url, ttl: "1m", l1MaxAge: 1 });
    await until(async () => (await cache.set("warm", 1)) === "everywhere");
    await redis.kill();
    for (let call = 0; call < 20; call++) {
      const [value, ms] = await timed(cache.getOrSet(`k${call}`, () => call));
      expect(value).toBe(call);
      expect(ms).toBeLessThan(300);
    }
    expect(await cache.set("k", "v")).toBe("here");
    await redis.restart();
    await until(async () => (await cache.set("warm", 2)) === "everywhere");
    expect(await cache.getOrSet("after", () => "v")).toBe("v");
    await cache.close();
  });

  test("hung: an invalidation is owed, and is told before the server is asked anything again", async () => {
    const cache = createCache({ name: "hung", store: redis.url, ttl: "1m", deadline: "50ms" });
    await until(async () => (await cache.set("k", "old")) === "everywhere");
    process.kill(redis.pid, "SIGSTOP");
    const [reach, ms] = await timed(cache.delete("k"));
    const [value, loadMs] = await timed(cache.getOrSet("k", () => "new"));
    process.kill(redis.pid, "SIGCONT");
    expect([reach, value]).toEqual(["here", "new"]);
    expect(Math.max(ms, loadMs)).toBeLessThan(400);
    const other = createCache({ name: "hung", store: redis.url });
    await until(async () => (await other.get("k")) === undefined);
    await Promise.all([cache.close(), other.close()]);
  });

  test("memory is emptied when the bus is cut, and again when it is back", async () => {
    const cache = createCache({ name: "cut", store: redis.url, ttl: "1m" });
    await until(async () => (await cache.set("k", "v")) === "everywhere");
    // Again and again: the first may come before the bus has subscribed.
    await until(async () => {
      Bun.spawnSync(["redis-cli", "-p", String(redis.port), "CLIENT", "KILL", "TYPE", "pubsub"]);
      return cache.stats().invalidations.interruptions >= 1;
    });
    await until(async () => cache.stats().invalidations.interruptions >= 2);
    expect(await cache.get<string>("k")).toBe("v"); // from the store
    await cache.close();
  });

  test("two caches: an invalidation in one reaches the memory of the other", async () => {
    const [a, b] = [
      createCache({ name: "two", store: redis.url }),
      createCache({ name: "two", store: redis.url }),
    ];
    await until(async () => (await a.set("k", "old", { tags: ["t"] })) === "everywhere");
    await until(async () => (await b.get("k")) === "old");
    await Bun.sleep(50); // the bus subscribes
    await a.invalidate({ tags: ["t"] });
    await until(async () => (await b.get("k")) === undefined);
    await Promise.all([a.close(), b.close()]);
  });
});

describe("a server that answers garbage", () => {
  const answers = {
    "HTTP/1.1 400 Bad Request\r\n\r\n": "another protocol",
    "%1\r\n+server\r\n+x\r\n*1\r\n+nonsense\r\n": "another meaning",
  };

  test.each(Object.entries(answers))("%j: values are right, and in time", async (answer) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const cache = createCache({ name: "garbage", store: `redis://127.0.0.1:${port}` });
    for (let call = 0; call < 10; call++) {
      const startMs = performance.now();
      expect(await cache.getOrSet(`k${call}`, () => call)).toBe(call);
      expect(performance.now() - startMs).toBeLessThan(300);
    }
    await cache.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error("it did not come to that within 6 s");
}
