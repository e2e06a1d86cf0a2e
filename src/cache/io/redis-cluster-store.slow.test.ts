/** The cache in a real Redis Cluster. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock, systemScheduler } from "../../base/index.ts";
import { SLOTS, slotOf } from "../../resp/index.ts";
import { startRedisCluster, type TestCluster } from "../../resp/testing/store-cluster.ts";
import { hasRedis } from "../../resp/testing/store-servers.ts";
import { PARTITIONS, partitionOf, partitionPrefixes } from "../store/partitioned.ts";
import type { SharedStore } from "../store/store.ts";
import { newValue, storeSuite } from "../store/suite.ts";
import { createCache } from "./create-cache.ts";
import { redisClusterStore } from "./redis-cluster-store.ts";

let tokens = 0;

/** Resolves when the cluster has told its slots. */
async function open(url: string): Promise<SharedStore> {
  const store = redisClusterStore({
    url,
    name: "cluster",
    namespace: "suite",
    deadlineMs: 2000,
    newToken: () => `origin${tokens++}`,
    clock: systemClock,
    scheduler: systemScheduler,
  });
  await until(async () =>
    store.peek("any").then(
      () => true,
      () => false,
    ),
  );
  return store;
}

let cluster: TestCluster;
beforeAll(async () => {
  if (hasRedis) cluster = await startRedisCluster({ replicas: 0 });
});
afterAll(() => cluster?.stop());

if (hasRedis) {
  storeSuite("redis-cluster://", async () => ({
    open: () => open(cluster.url),
    pass: (ms) => Bun.sleep(ms),
    settle: () => Bun.sleep(150),
    stop: async () => {},
  }));
}

describe("partitions", () => {
  test("lie in equal parts of the slots, whatever the namespace", () => {
    for (const namespace of ["tenfold:cache", "tenfold:}{", "tenfold:ключ"]) {
      const slots = partitionPrefixes(namespace).map((prefix) => slotOf(`${prefix}:e:any{thing}`));
      expect(slots.map((slot) => Math.floor((slot * PARTITIONS) / SLOTS))).toEqual(
        Array.from({ length: PARTITIONS }, (_, at) => at),
      );
    }
  });

  test("share the keys about evenly", () => {
    const counts = new Uint32Array(PARTITIONS);
    for (let at = 0; at < 64_000; at++) counts[partitionOf(`user:${at}`)]!++;
    expect(Math.max(...counts)).toBeLessThan(1200);
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });
});

describe.skipIf(!hasRedis)("a cache in a cluster (needs redis-server)", () => {
  test("keys lie on all primaries, and each with its lease and versions in one slot", async () => {
    const cache = createCache({ name: "spread", store: cluster.url, max: 1 });
    await until(async () => (await cache.set("warm", 1)) === "everywhere");
    await Promise.all(Array.from({ length: 300 }, (_, at) => cache.set(`k${at}`, at)));
    const sizes = cluster.nodes.map(({ port }) => Number(cluster.cli(["DBSIZE"], port)));
    expect(Math.min(...sizes)).toBeGreaterThan(60);
    await cache.close();
  });

  test("two caches: what one invalidates, by key, tag, prefix or all, leaves the memory of the other", async () => {
    // Not a test of the deadline: on a busy machine the usual 50 ms pass now and then.
    const settings = { name: "two", store: cluster.url, ttl: "1h", l1MaxAge: "1h", deadline: "2s" };
    const [a, b] = [createCache(settings), createCache(settings)];
    await until(async () => (await a.set("warm", 1)) === "everywhere");
    await b.get("warm");
    await Bun.sleep(300); // the buses subscribe
    const ways = [
      (key: string) => a.delete(key),
      () => a.invalidate({ tags: ["t"] }),
      (key: string) => a.invalidate({ prefix: key }),
      () => a.invalidate({ all: true }),
    ];
    for (const [way, invalidate] of ways.entries()) {
      for (let at = 0; at < 20; at++) {
        const key = `way${way}:${at}`;
        await a.set(key, "old", { tags: ["t"] });
        expect(await b.get<string>(key)).toBe("old");
        expect(await invalidate(key)).toBe("everywhere");
        await until(async () => (await b.get(key)) === undefined);
      }
    }
    expect(b.stats().invalidations.interruptions).toBe(0);
    await Promise.all([a.close(), b.close()]);
  });

  test("another node than the one that counted begins a new epoch: neither values nor leases from before count", async () => {
    const store = await open(cluster.url);
    await store.put("k", newValue("old"));
    const lease = await store.lookup("other", { token: "t", leaseMs: 5000, refresh: false });
    expect(lease.kind).toBe("won");
    // As a promoted replica finds it: everything there, counted by another node.
    for (const key of ["k", "other"]) {
      const versions = `${partitionPrefixes("suite")[partitionOf(key)]}:v`;
      cluster.cli(["HSET", versions, "r", "another"], cluster.primaryOf(slotOf(versions)).port);
    }
    expect(await store.peek("k")).toBeUndefined();
    expect(await store.fill("other", "t", newValue("old"))).toBe(false);
    await store.close();
  });
});

describe.skipIf(!hasRedis)("a partition whose primary changes (needs redis-server)", () => {
  test("is told that all is invalid by who told the old primary something, and others hear of it", async () => {
    const [store, other] = [await open(cluster.url), await open(cluster.url)];
    const interruptions: number[] = [];
    const heard: string[] = [];
    other.listen({
      invalidated: (invalidation) => heard.push(invalidation.kind),
      interrupted: () => interruptions.push(1),
    });
    await Bun.sleep(200);
    await store.put("k", newValue("v"));
    const prefix = partitionPrefixes("suite")[partitionOf("k")] ?? "";
    const slot = String(slotOf(prefix));
    const from = cluster.primaryOf(Number(slot));
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    cluster.cli(["CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.idOf(from)], to.port);
    cluster.cli(["CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.idOf(to)], from.port);
    const keys = cluster.cli(["CLUSTER", "GETKEYSINSLOT", slot, "100"], from.port).trim().split("\n");
    cluster.cli(["MIGRATE", "127.0.0.1", String(to.port), "", "0", "1000", "KEYS", ...keys], from.port);
    for (const node of [to, ...cluster.nodes.filter((each) => each !== to)])
      cluster.cli(["CLUSTER", "SETSLOT", slot, "NODE", cluster.idOf(to)], node.port);
    expect(await store.peek("k")).toBeUndefined();
    await until(async () => cluster.cli(["HGET", `${prefix}:v`, "f"], to.port).trim() === "1");
    // The other's channel moved: it forgets all when it loses it, and when it hears it again.
    await until(async () => interruptions.length >= 2);
    heard.length = 0;
    await until(async () => {
      await store.invalidate({ kind: "key", key: "k", soft: false });
      return heard.includes("key");
    });
    await Promise.all([store.close(), other.close()]);
  }, 20_000);

  test("and whose keys are on two nodes meanwhile is without a store: calls end in time, and the others go on", async () => {
    const cache = createCache({ name: "way", store: cluster.url, ttl: "1m", max: 1, deadline: "50ms" });
    await until(async () => (await cache.invalidate({ all: true })) === "everywhere");
    const prefix = partitionPrefixes("tenfold:way")[partitionOf("k")] ?? "";
    const slot = String(slotOf(prefix));
    const from = cluster.primaryOf(Number(slot));
    const to = cluster.nodes.find((node) => node !== from) ?? from;
    cluster.cli(["CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.idOf(from)], to.port);
    cluster.cli(["CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.idOf(to)], from.port);
    for (let call = 0; call < 10; call++) {
      const startMs = performance.now();
      expect(await cache.getOrSet("k", () => call, { ttl: 1 })).toBeNumber();
      expect(performance.now() - startMs).toBeLessThan(400);
    }
    expect(await cache.set("k", "v")).toBe("here");
    const other = Array.from({ length: 100 }, (_, at) => `o${at}`).find(
      (key) => partitionOf(key) !== partitionOf("k"),
    );
    expect(await cache.set(other ?? "", "v")).toBe("everywhere");
    for (const { port } of [from, to]) cluster.cli(["CLUSTER", "SETSLOT", slot, "STABLE"], port);
    await until(async () => (await cache.set("k", "v")) === "everywhere");
    await cache.close();
  }, 20_000);

  test("a wrong password is told without it", async () => {
    const place = cluster.url.replace("//", "//app:secret@");
    const store = redisClusterStore({
      url: place,
      name: place.replace(/\/\/.*@/, "//"),
      namespace: "suite",
      deadlineMs: 200,
      newToken: () => "origin",
      clock: systemClock,
      scheduler: systemScheduler,
    });
    const told = await store.peek("k").then(
      () => "",
      (error: Error) => `${error.message} ${String(error.cause)}`,
    );
    expect(told).toContain("redis-cluster://127.0.0.1");
    expect(told).not.toContain("secret");
    await store.close();
  });

  test("that is not reached owes; the others are told, and it is as soon as it is back", async () => {
    const store = await open(cluster.url);
    await store.put("k", newValue("v"));
    const node = cluster.primaryOf(slotOf(partitionPrefixes("suite")[partitionOf("k")] ?? ""));
    process.kill(node.pid, "SIGSTOP");
    const reached = await store.invalidate({ kind: "all" }).then(
      () => true,
      () => false,
    );
    process.kill(node.pid, "SIGCONT");
    expect(reached).toBe(false);
    const later = await open(cluster.url);
    await until(async () => (await later.peek("k").catch(() => newValue("?"))) === undefined);
    await Promise.all([store.close(), later.close()]);
  }, 20_000);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error("it did not come to that within 6 s");
}
