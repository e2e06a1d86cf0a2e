/** Sessions in a real Redis Cluster: by our client, ioredis and node-redis, while the slots of the sessions move too. */
import { afterAll, describe, expect, test } from "bun:test";
import { createCluster } from "@redis/client";
import { Cluster } from "ioredis";
import { slotOf } from "../resp/index.ts";
import { startRedisCluster } from "../resp/testing/store-cluster.ts";
import { hasRedis } from "../resp/testing/store-servers.ts";
import { openSessionStore } from "./io/index.ts";
import type { SessionStore } from "./store.ts";
import { ioredisCommands, nodeRedisCommands } from "./stores/clients.ts";
import { jsonStore } from "./stores/json.ts";
import { redisStore } from "./stores/redis.ts";
import { describeRecordStore, describeSessionStore } from "./suite.ts";

const cluster = hasRedis ? await startRedisCluster({ replicas: 0 }) : undefined;
const ports = cluster?.nodes.map(({ port }) => port) ?? [];
const nodeRedis = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
if (cluster !== undefined) await nodeRedis.connect();

describe.skipIf(cluster === undefined)("in a cluster (needs redis-server)", () => {
  if (cluster === undefined) return;
  const own = openSessionStore(cluster.url);
  const ioredis = new Cluster(ports.map((port) => ({ host: "127.0.0.1", port })));
  const byIoredis = ioredisCommands(ioredis);
  const byNodeRedis = nodeRedisCommands(nodeRedis);
  const stores: [string, () => SessionStore][] = [
    ["our client", () => own],
    ["ioredis' Cluster", () => redisStore(byIoredis)],
    ["node-redis' createCluster", () => redisStore(byNodeRedis)],
  ];

  afterAll(async () => {
    byIoredis.close();
    byNodeRedis.close();
    own.close();
    ioredis.disconnect();
    nodeRedis.destroy();
    await cluster.stop();
  });

  for (const [name, open] of stores) describeSessionStore(name, open);
  describeRecordStore("the format of connect-redis, our client", () => jsonStore(own.commands));
  describeRecordStore("the format of connect-redis, ioredis' Cluster", () => jsonStore(byIoredis));
  describeRecordStore("the format of connect-redis, node-redis' createCluster", () => jsonStore(byNodeRedis));

  test.each(stores)(
    "%s: a session whose slot moves keeps every change",
    async (name, open) => {
      const store = open();
      const key = `moving ${name}`;
      await store.create(key, new Map([["n", "0"]]), 60_000);
      const slot = slotOf(`session:r:${key}`);
      let added = 0;
      const add = async (): Promise<void> => {
        const version = (await store.load(key))?.version ?? "";
        const outcome = await store.patch(key, { add: new Map([["n", 1]]), ttlMs: 60_000 });
        expect(outcome.status).toBe("applied");
        added++;
        // The one that watches: its version is old, which it must find out.
        expect(await store.patch(key, { ifVersion: version, ttlMs: 60_000 })).toEqual({ status: "conflict" });
      };
      for (let round = 0; round < 3; round++) {
        const from = cluster.primaryOf(slot);
        const to = cluster.nodes.find((node) => node !== from);
        if (to === undefined) throw new Error("one node alone");
        cluster.cli(["CLUSTER", "SETSLOT", String(slot), "IMPORTING", cluster.idOf(from)], to.port);
        cluster.cli(["CLUSTER", "SETSLOT", String(slot), "MIGRATING", cluster.idOf(to)], from.port);
        await add();
        cluster.cli(["MIGRATE", "127.0.0.1", String(to.port), `session:r:${key}`, "0", "1000"], from.port);
        await asked(name, add);
        for (const node of [to, ...cluster.nodes.filter((each) => each !== to)])
          cluster.cli(["CLUSTER", "SETSLOT", String(slot), "NODE", cluster.idOf(to)], node.port);
        await add();
      }
      expect((await store.load(key))?.fields.get("n")).toBe(String(added));
    },
    20_000,
  );

  /** While a key is at the new node and the slot at the old, libraries have no transactions: the call ends by an error. */
  async function asked(name: string, add: () => Promise<void>): Promise<void> {
    if (name === "our client") return add();
    await add().catch(() => {});
  }
});
