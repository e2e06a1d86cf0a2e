import { afterAll, describe, expect, test } from "bun:test";
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { hasRedis, startEmbedded, startRedis } from "../resp/testing/store-servers.ts";
import { openSessionStore } from "./io/index.ts";
import { ioredisCommands, nodeRedisCommands } from "./stores/clients.ts";
import { jsonStore } from "./stores/json.ts";
import { memoryStore } from "./stores/memory.ts";
import { redisStore } from "./stores/redis.ts";
import { describeRecordStore, describeSessionStore } from "./suite.ts";
import { handClock } from "./testing.ts";

describeSessionStore(
  "memory",
  (
    (store) => () =>
      store
  )(memoryStore()),
);

test("memory: what nobody asks for any more is dropped as others come", async () => {
  const clock = handClock();
  const store = memoryStore(clock);
  for (let index = 0; index < 100; index++) await store.create(`old-${index}`, new Map(), 1000);
  clock.advance(2000);
  const before = store.size();
  for (let index = 0; index < 100; index++) await store.create("new", new Map(), 1000);
  expect(before).toBe(100);
  expect(store.size()).toBe(1);
});

const redis = hasRedis ? await startRedis() : undefined;

const url = redis?.url ?? "redis://127.0.0.1:1";
const nodeRedis = createClient({ url });
const nodeRedis3 = createClient({ url, RESP: 3 });
if (redis !== undefined) await Promise.all([nodeRedis.connect(), nodeRedis3.connect()]);

describe.skipIf(redis === undefined)("on a redis-server (needs redis-server)", () => {
  if (redis === undefined) return;
  const own = openSessionStore(redis.url);
  const ioredis = new Redis(redis.url);
  const byIoredis = ioredisCommands(ioredis);
  const byNodeRedis = nodeRedisCommands(nodeRedis);
  const byNodeRedis3 = nodeRedisCommands(nodeRedis3);

  afterAll(async () => {
    for (const commands of [byIoredis, byNodeRedis, byNodeRedis3]) commands.close();
    own.close();
    ioredis.disconnect();
    nodeRedis.destroy();
    nodeRedis3.destroy();
    await redis.stop();
  });

  describeSessionStore("our client", () => own);
  describeSessionStore("ioredis", () => redisStore(byIoredis));
  describeSessionStore("node-redis", () => redisStore(byNodeRedis));
  describeSessionStore("node-redis with RESP3", () => redisStore(byNodeRedis3));
  describeRecordStore("the format of connect-redis, our client", () => jsonStore(own.commands));
  describeRecordStore("the format of connect-redis, ioredis", () => jsonStore(byIoredis));
  describeRecordStore("the format of connect-redis, node-redis", () => jsonStore(byNodeRedis));

  test("a patch that comes too late leaves no key behind", async () => {
    await own.create("late", new Map([["a", "1"]]), 60_000);
    await own.remove("late");
    await own.patch("late", { set: new Map([["a", "2"]]), ttlMs: 60_000 });
    expect(await ioredis.exists("session:r:late")).toBe(0);
  });

  test("every key has an expiry", async () => {
    await own.create("timed", new Map([["a", "1"]]), 60_000);
    await own.link("timed", "timed", 60_000);
    for (const key of ["session:r:timed", "session:u:timed"]) {
      expect(await ioredis.pttl(key)).toBeWithin(50_000, 60_001);
    }
  });

  test("a key of another type is an error, not a session", async () => {
    await ioredis.set("session:r:text", "x");
    expect(own.load("text")).rejects.toThrow("WRONGTYPE");
    expect(own.patch("text", { set: new Map([["a", "1"]]), ttlMs: 1000 })).rejects.toThrow("WRONGTYPE");
  });
});

const embedded = await startEmbedded();
const onEmbedded = openSessionStore(embedded.url);
afterAll(() => {
  onEmbedded.close();
  return embedded.stop();
});

describe("on the embedded store", () => {
  describeSessionStore("our client", () => onEmbedded);
  describeRecordStore("the format of connect-redis", () => jsonStore(onEmbedded.commands));
});
