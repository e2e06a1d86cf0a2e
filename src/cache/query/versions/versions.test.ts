import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { simulatedTime } from "../../../base/index.ts";
import { RespClient, RespCluster } from "../../../resp/io/index.ts";
import { startRedisCluster, type TestCluster } from "../../../resp/testing/store-cluster.ts";
import { hasRedis, startRedis, type TestStore } from "../../../resp/testing/store-servers.ts";
import { memoryVersions } from "./memory-versions.ts";
import { respVersions } from "./resp-versions.ts";
import { SUITE_MARK_MS, versionsSuite } from "./suite.ts";

versionsSuite("memory", () => {
  const time = simulatedTime();
  return {
    store: memoryVersions({ clock: time.clock, markMs: SUITE_MARK_MS }),
    pass: async (ms) => time.advance(ms),
  };
});

describe.skipIf(!hasRedis)("in a store (needs redis-server)", () => {
  let redis: TestStore;
  let client: RespClient;
  let prefixes = 0;
  beforeAll(async () => {
    redis = await startRedis();
    client = new RespClient({ url: redis.url });
  });
  afterAll(async () => {
    client.close();
    await redis.stop();
  });

  versionsSuite("a store", () => ({
    store: respVersions({
      store: client,
      prefix: `{${++prefixes}}:`,
      markMs: SUITE_MARK_MS,
      deadlineMs: 5000,
    }),
    pass: (ms) => Bun.sleep(ms),
  }));

  test("a store that lost its memory gives no version that it gave before", async () => {
    const store = respVersions({ store: client, prefix: "{lost}:" });
    const look = async () => (await store.snapshot(["a"])) ?? (await store.snapshot(["a"]));
    const before = await look();
    await client.call(["FLUSHALL"]);
    expect(await look()).not.toEqual(before);
  });

  test("a refusal within a transaction is an error, not a mark", async () => {
    const store = respVersions({ store: client, prefix: "{bad}:" });
    await client.call(["SET", "{bad}:w:a", "text"]);
    expect(store.before(["a"])).rejects.toThrow("WRONGTYPE");
  });
});

describe.skipIf(!hasRedis)("in a cluster (needs redis-server)", () => {
  let cluster: TestCluster;
  let client: RespCluster;
  let prefixes = 0;
  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 0 });
    client = new RespCluster({ url: cluster.url });
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  versionsSuite("a cluster", () => ({
    store: respVersions({
      store: client,
      prefix: `{${++prefixes}}:`,
      markMs: SUITE_MARK_MS,
      deadlineMs: 5000,
    }),
    pass: (ms) => Bun.sleep(ms),
  }));
});
