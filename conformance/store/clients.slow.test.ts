/** Clients that people use, unmodified, on the store. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createClient } from "@redis/client";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { Redis } from "ioredis";
import { eventually } from "../../src/gateway/testing/index.ts";
import { type StoreProcess, startStore } from "./store-process.ts";

const PASSWORD = "s3cret";
let store: StoreProcess;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  store = await startStore({ password: PASSWORD });
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  await store.stop();
});

describe("ioredis", () => {
  let redis: Redis;
  beforeAll(() => {
    redis = new Redis(store.url);
    closing.push(() => redis.disconnect());
  });

  test("sets, gets, counts and expires", async () => {
    expect(await redis.set("io:k", "v", "EX", 100)).toBe("OK");
    expect(await redis.get("io:k")).toBe("v");
    expect(await redis.ttl("io:k")).toBe(100);
    expect(await redis.incrby("io:n", 5)).toBe(5);
    expect(await redis.hgetall("io:none")).toEqual({});
    await redis.hset("io:h", { a: 1, b: 2 });
    expect(await redis.hgetall("io:h")).toEqual({ a: "1", b: "2" });
  });

  test("pipelines and runs transactions", async () => {
    const replies = await redis.pipeline().set("io:p", 1).incr("io:p").lpush("io:p", "x").exec();
    expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
      "OK",
      2,
      "WRONGTYPE Operation against a key holding the wrong kind of value",
    ]);
    expect(await redis.multi().incr("io:p").get("io:p").exec()).toEqual([
      [null, 3],
      [null, "3"],
    ]);
  });

  test("walks a large keyspace by stream, each key once", async () => {
    await redis.mset(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`io:scan:${i}`, i])));
    const keys = new Set<string>();
    for await (const batch of redis.scanStream({ match: "io:scan:*", count: 50 }))
      for (const key of batch as string[]) keys.add(key);
    expect(keys.size).toBe(1000);
  });

  test("subscribes on one connection and publishes on another, and blocks on a third", async () => {
    const [subscriber, blocked] = [redis.duplicate(), redis.duplicate()];
    closing.push(
      () => subscriber.disconnect(),
      () => blocked.disconnect(),
    );
    const messages: string[] = [];
    subscriber.on("message", (channel, message) => messages.push(`${channel} ${message}`));
    await subscriber.subscribe("io:news");
    await redis.publish("io:news", "hello");
    await eventually("the message", () => messages.length === 1);
    expect(messages).toEqual(["io:news hello"]);
    const popped = blocked.blpop("io:queue", 5);
    await redis.rpush("io:queue", "job");
    expect(await popped).toEqual(["io:queue", "job"]);
  });
});

describe("node-redis", () => {
  test("speaks RESP3: hashes are objects, sorted sets have numbers", async () => {
    const client = createClient({ url: store.url, RESP: 3 });
    closing.push(() => client.destroy());
    await client.connect();
    await client.hSet("node:h", { a: "1" });
    expect({ ...(await client.hGetAll("node:h")) }).toEqual({ a: "1" });
    await client.zAdd("node:z", [{ score: 1.5, value: "m" }]);
    expect(await client.zRangeWithScores("node:z", 0, -1)).toEqual([{ value: "m", score: 1.5 }]);
    expect((await client.multi().set("node:k", "1").incr("node:k").exec()).map(String)).toEqual(["OK", "2"]);
  });

  test("caches on its side, and hears when another client changes a key", async () => {
    const cached = createClient({
      url: store.url,
      RESP: 3,
      clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: "LRU" },
    });
    const writer = createClient({ url: store.url });
    closing.push(
      () => cached.destroy(),
      () => writer.destroy(),
    );
    await Promise.all([cached.connect(), writer.connect()]);
    await writer.set("csc", "old");
    expect(await cached.get("csc")).toBe("old");
    await writer.set("csc", "new");
    let value: unknown;
    await eventually("the new value", () => {
      void cached.get("csc").then((read) => {
        value = read;
      });
      return value === "new";
    });
  });
});

describe("connect-redis", () => {
  test("keeps sessions of express-session", async () => {
    const client = createClient({ url: store.url });
    closing.push(() => client.destroy());
    await client.connect();
    const app = express();
    app.use(
      session({ store: new RedisStore({ client }), secret: "x", resave: false, saveUninitialized: false }),
    );
    app.get("/", (request, response) => {
      const kept = request.session as unknown as { visits?: number };
      kept.visits = (kept.visits ?? 0) + 1;
      response.send(String(kept.visits));
    });
    const server = app.listen(0, "127.0.0.1");
    closing.push(() => server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
    const first = await fetch(url);
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect(await first.text()).toBe("1");
    expect(await (await fetch(url, { headers: { cookie } })).text()).toBe("2");
    expect(await client.ttl(`sess:${decodeURIComponent(cookie).slice(14, 46)}`)).toBeGreaterThan(86_000);
  });
});

const hasCli = Bun.which("redis-cli") !== null;

describe("redis-cli", () => {
  test.skipIf(!hasCli)("talks to the store (needs redis-cli)", async () => {
    const cli = async (...words: string[]): Promise<string> =>
      Bun.$`redis-cli --no-auth-warning -u ${store.url} ${words}`.text();
    expect(await cli("SET", "cli", "hello world")).toBe("OK\n");
    expect(await cli("-3", "HGETALL", "nothing")).toBe("\n");
    expect(await cli("GET", "cli")).toBe("hello world\n");
    expect(await cli("INFO", "server")).toContain("redis_version:7.0.15");
    expect(await cli("--bigkeys")).toContain("summary");
  });
});
