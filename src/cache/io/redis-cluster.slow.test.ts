/**
 * The cache under load while the cluster changes: slots that move, and a primary that is killed. What is counted are values older than
 * an invalidation that the cluster had acknowledged before the read began, calls beyond the deadline, and calls afterwards.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { systemClock, systemScheduler } from "../../base/index.ts";
import { slotOf } from "../../resp/index.ts";
import { startRedisCluster, type TestCluster } from "../../resp/testing/store-cluster.ts";
import { hasRedis } from "../../resp/testing/store-servers.ts";
import type { Cache } from "../cache.ts";
import { partitionOf, partitionPrefixes } from "../store/partitioned.ts";
import type { SharedStore } from "../store/store.ts";
import { newValue } from "../store/suite.ts";
import { createCache } from "./create-cache.ts";
import { redisClusterStore } from "./redis-cluster-store.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const KEYS = 200;
const DEADLINE_MS = 100;
/** One call is a lookup, a load and a fill; the machine of a test is busy besides. */
const LONGEST_MS = 2 * DEADLINE_MS + 2_000;

interface Tally {
  reads: number;
  /** Values older than what was acknowledged everywhere before the read. */
  stale: number;
  /** Reads that the shared store answered. */
  shared: number;
  everywhere: number;
  here: number;
  longestMs: number;
  failures: unknown[];
}

/** A source of truth, and caches that read and invalidate it as fast as they can, until they are told to stop. */
function load(caches: readonly Cache[], tags: boolean) {
  const truth = new Uint32Array(KEYS);
  /** What of the truth every cache must know: set when the invalidation is acknowledged everywhere. */
  const acknowledged = new Uint32Array(KEYS);
  const tally: Tally = { reads: 0, stale: 0, shared: 0, everywhere: 0, here: 0, longestMs: 0, failures: [] };
  const run = { isOn: true };
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      tally.longestMs = Math.max(tally.longestMs, performance.now() - startMs);
    }
  };
  const reader = async (cache: Cache, seed: number): Promise<void> => {
    for (let at = seed; run.isOn; at += 7) {
      const key = at % KEYS;
      const least = acknowledged[key] ?? 0;
      let isLoaded = false;
      const value = await timed(() =>
        cache.getOrSet(
          `k${key}`,
          async () => {
            isLoaded = true;
            const read = truth[key] ?? 0;
            await Bun.sleep(1);
            return read;
          },
          { tags: [`t${key}`] },
        ),
      );
      tally.reads++;
      if (!isLoaded) tally.shared++;
      if (value < least) tally.stale++;
      if (tally.reads % 50 === 0) await Bun.sleep(1);
    }
  };
  const writer = async (cache: Cache, seed: number): Promise<void> => {
    for (let at = seed; run.isOn; at += 13) {
      const key = at % KEYS;
      const now = (truth[key] ?? 0) + 1;
      truth[key] = now;
      const reach = await timed(() =>
        tags && at % 3 === 0 ? cache.invalidate({ tags: [`t${key}`] }) : cache.delete(`k${key}`),
      );
      tally[reach]++;
      if (reach === "everywhere") acknowledged[key] = Math.max(acknowledged[key] ?? 0, now);
      await Bun.sleep(2);
    }
  };
  const [first] = caches;
  const work = [
    ...caches.flatMap((cache, at) => [reader(cache, at), reader(cache, at + 50), reader(cache, at + 99)]),
    ...(first === undefined ? [] : [writer(first, 3)]),
  ].map((each) => each.catch((error: unknown) => tally.failures.push(error)));
  return {
    tally,
    stop: async (): Promise<void> => {
      run.isOn = false;
      await Promise.all(work);
    },
  };
}

/** Memory of one entry and no age, unless told otherwise: what is read is what the cluster has. */
function cacheOn({ url }: TestCluster, name: string, l1MaxAge?: string): Cache {
  const memory = l1MaxAge === undefined ? { max: 1, l1MaxAge: 1 } : { max: 1000, l1MaxAge };
  const cache = createCache({
    name,
    store: url,
    ttl: "1h",
    ...memory,
    deadline: DEADLINE_MS,
    beta: 0,
  });
  open.push(() => cache.close());
  return cache;
}

describe.skipIf(!hasRedis)("a cache in a cluster that changes (needs redis-server)", () => {
  test("slots that move under load: no wrong value, no call beyond its deadline", async () => {
    const cluster = await startRedisCluster({ replicas: 0 });
    open.push(cluster.stop);
    const caches = [cacheOn(cluster, "moving"), cacheOn(cluster, "moving")];
    await reached(caches);
    const running = load(caches, true);
    await Bun.sleep(500);
    // Every partition goes to another node and some come back, key by key, as `redis-cli --cluster reshard` does it.
    const [a, b] = cluster.nodes;
    const idOfA = cluster.idOf(a!);
    const idOfB = cluster.idOf(b!);
    for (const [from, to] of [
      [idOfA, idOfB],
      [idOfB, idOfA],
    ] as const) {
      const reshard = [
        "--cluster",
        "reshard",
        `127.0.0.1:${a?.port}`,
        "--cluster-from",
        from,
        "--cluster-to",
        to,
      ];
      const child = Bun.spawn(["redis-cli", ...reshard, "--cluster-slots", "2000", "--cluster-yes"], {
        stdout: "ignore",
        stderr: "inherit",
      });
      expect(await child.exited).toBe(0);
      await Bun.sleep(500);
    }
    await running.stop();
    const { tally } = running;
    expect(tally.failures).toEqual([]);
    expect(tally.stale).toBe(0);
    expect(tally.reads).toBeGreaterThan(1000);
    expect(tally.shared).toBeGreaterThan(100);
    expect(tally.everywhere).toBeGreaterThan(50);
    expect(tally.longestMs).toBeLessThan(LONGEST_MS);
    await reached(caches);
  }, 120_000);

  test("a primary killed under load: no stale value, no call beyond its deadline, and all goes on after the promotion", async () => {
    const cluster = await startRedisCluster();
    open.push(cluster.stop);
    const caches = [cacheOn(cluster, "failover"), cacheOn(cluster, "failover")];
    // Two with memory that is believed for an hour: only the bus can tell them.
    const [writing, remembering] = [cacheOn(cluster, "bus", "1h"), cacheOn(cluster, "bus", "1h")];
    await reached([...caches, writing, remembering]);
    const running = load(caches, false);
    await Bun.sleep(500);
    const slot = slotOf(partitionPrefixes("tenfold:failover")[0] ?? "");
    const victim = cluster.primaryOf(slot);
    const other = cluster.nodes.find(
      (node) => node !== victim && cluster.primaryOf(slot, node.port) === victim,
    );
    const killedAtMs = performance.now();
    await victim.kill();
    while (cluster.primaryOf(slot, other?.port) === victim) await Bun.sleep(50);
    const promotedMs = performance.now() - killedAtMs;
    await reached([...caches, writing, remembering]);
    const healedMs = performance.now() - killedAtMs;
    await Bun.sleep(1000);
    await victim.restart(); // comes back as a replica
    await Bun.sleep(1000);
    await running.stop();
    const { tally } = running;
    expect(tally.failures).toEqual([]);
    expect(tally.stale).toBe(0);
    expect(tally.longestMs).toBeLessThan(LONGEST_MS);
    expect(tally.everywhere).toBeGreaterThan(50);
    expect(healedMs - promotedMs).toBeLessThan(12_000);
    for (let at = 0; at < 60; at++) {
      await writing.set(`kept${at}`, "old");
      expect(await remembering.get<string>(`kept${at}`)).toBe("old");
      expect(await writing.delete(`kept${at}`)).toBe("everywhere");
      for (let times = 0; (await remembering.get(`kept${at}`)) !== undefined; times++) {
        if (times > 100) throw new Error("the message did not come after the failover");
        await Bun.sleep(10);
      }
    }
  }, 120_000);
});

describe.skipIf(!hasRedis)("an invalidation that the failover loses (needs redis-server)", () => {
  test("was acknowledged and never replicated: neither the old value nor a lease from before it counts", async () => {
    const cluster = await startRedisCluster();
    open.push(cluster.stop);
    const store = await storeOn(cluster);
    const prefix = partitionPrefixes("lost")[partitionOf("k")] ?? "";
    // A lease of the same partition, whose key is invalidated below too.
    const other = Array.from({ length: 1000 }, (_, at) => `other${at}`).find(
      (key) => partitionOf(key) === partitionOf("k"),
    );
    await store.put("k", newValue("old"));
    const lease = await store.lookup(other ?? "", { token: "t", leaseMs: 60_000, refresh: false });
    expect(lease.kind).toBe("won");
    const primary = cluster.primaryOf(slotOf(prefix));
    const replica = cluster.nodes.find(({ port }) =>
      cluster.cli(["INFO", "replication"], port).includes(`master_port:${primary.port}\r`),
    );
    await Bun.sleep(200); // the replica has both
    process.kill(replica?.pid ?? 0, "SIGSTOP");
    cluster.cli(["CLIENT", "KILL", "TYPE", "replica"], primary.port);
    await store.invalidate({ kind: "key", key: "k", soft: false });
    await store.invalidate({ kind: "key", key: other ?? "", soft: false });
    await store.close(); // and with it who could tell it again
    await primary.kill();
    process.kill(replica?.pid ?? 0, "SIGCONT");
    while (cluster.primaryOf(slotOf(prefix), replica?.port) === primary) await Bun.sleep(50);
    // The replica did not hear of it: what it has is the old value and the lease.
    expect(cluster.cli(["HGET", `${prefix}:e:k`, "v"], replica?.port).trim()).toBe("old");
    const later = await storeOn(cluster);
    expect(await later.peek("k")).toBeUndefined();
    expect(await later.fill(other ?? "", "t", newValue("old"))).toBe(false);
    await later.close();
  }, 60_000);
});

async function storeOn({ url }: TestCluster): Promise<SharedStore> {
  const parts = { clock: systemClock, scheduler: systemScheduler, newToken: () => crypto.randomUUID() };
  const store = redisClusterStore({ ...parts, url, name: "lost", namespace: "lost", deadlineMs: 1000 });
  for (let isReached = false; !isReached; ) {
    isReached = await store.invalidate({ kind: "tag", tag: "none" }).then(
      () => true,
      () => false,
    );
  }
  return store;
}

/** Waits until every cache reaches every partition. */
async function reached(caches: readonly Cache[]): Promise<void> {
  const endMs = performance.now() + 30_000;
  for (const cache of caches) {
    while ((await cache.invalidate({ tags: ["none"] })) !== "everywhere") {
      if (performance.now() > endMs) throw new Error("not every partition was reached within 30 s");
      await Bun.sleep(20);
    }
  }
}
