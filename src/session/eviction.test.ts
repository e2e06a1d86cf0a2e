import { afterAll, describe, expect, test } from "bun:test";
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { createCache } from "../cache/io/index.ts";
import { RespClient } from "../resp/io/index.ts";
import { hasRedis, startEmbedded, startRedis, type TestStore } from "../resp/testing/store-servers.ts";
import { SessionError } from "./errors.ts";
import { fetchSessions } from "./handlers/fetch.ts";
import { createSessions, openSessionStore } from "./io/index.ts";
import type { SessionStore } from "./store.ts";
import { ioredisCommands, nodeRedisCommands } from "./stores/clients.ts";
import { refusingEviction } from "./stores/eviction.ts";
import { redisStore } from "./stores/redis.ts";
import { codeOf, handClock } from "./testing.ts";

const [redis, embedded] = await Promise.all([hasRedis ? startRedis() : undefined, startEmbedded()]);
const closes: (() => unknown)[] = [() => redis?.stop(), () => embedded.stop()];
afterAll(() => Promise.all(closes.map((close) => close())));

async function setPolicy(store: TestStore, policy: string): Promise<void> {
  const client = new RespClient({ url: store.url });
  await client.call(["CONFIG", "SET", "maxmemory-policy", policy]);
  client.close();
}

const save = (store: SessionStore): Promise<void> => store.create("k", new Map([["a", "1"]]), 60_000);

function opened(store: TestStore, options?: Parameters<typeof openSessionStore>[1]) {
  const sessions = openSessionStore(store.url, options);
  closes.push(() => sessions.close());
  return sessions;
}

for (const [name, server, policy] of [
  ["redis-server (needs redis-server)", redis, "allkeys-lru"],
  ["redis-server, volatile (needs redis-server)", redis, "volatile-ttl"],
  ["the embedded store", embedded, "allkeys-s3-fifo"],
] as const) {
  describe.skipIf(server === undefined)(`on ${name}`, () => {
    if (server === undefined) return;

    test("a server that evicts is refused until it no longer does, unless that is allowed", async () => {
      await setPolicy(server, policy);
      const [store, allowed] = [opened(server), opened(server, { allowEviction: true })];
      expect(await codeOf(() => save(store))).toBe("session-store-evicts");
      expect(await codeOf(() => store.load("k"))).toBe("session-store-evicts");
      await save(allowed);
      await setPolicy(server, "noeviction");
      await Bun.sleep(1100);
      expect((await store.load("k"))?.fields.get("a")).toBe("1");
    });

    test("a cache and sessions of one process on one server that evicts: the cache works, sessions are refused", async () => {
      await setPolicy(server, policy);
      const cache = createCache({ name: "shared", store: server.url, deadline: "2s" });
      closes.push(() => cache.close());
      expect(await cache.set("k", "v")).toBe("everywhere");
      const sessions = createSessions({ store: opened(server) });
      const handle = fetchSessions(sessions, async (_, session) => {
        await session.signIn("ann");
        return new Response("in");
      });
      const answer = await handle(new Request("https://app.example/in"));
      expect([answer.status, await answer.json()]).toEqual([503, { error: "session-store-evicts" }]);
      const error = await sessions.devices("ann").catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SessionError);
      expect((error as SessionError).message).toContain(`its maxmemory-policy is ${policy}`);
      await setPolicy(server, "noeviction");
    });
  });
}

describe.skipIf(redis === undefined)("with clients that the app has (needs redis-server)", () => {
  if (redis === undefined) return;

  test("ioredis and node-redis are refused the same way", async () => {
    await setPolicy(redis, "allkeys-random");
    const ioredis = new Redis(redis.url);
    const nodeRedis = createClient({ url: redis.url });
    await nodeRedis.connect();
    const byClient = [ioredisCommands(ioredis), nodeRedisCommands(nodeRedis)];
    const allowed = [
      ioredisCommands(ioredis, { allowEviction: true }),
      nodeRedisCommands(nodeRedis, { allowEviction: true }),
    ];
    closes.push(
      () => ioredis.disconnect(),
      () => nodeRedis.destroy(),
    );
    for (const commands of byClient)
      expect(await codeOf(() => redisStore(commands).load("k"))).toBe("session-store-evicts");
    for (const commands of allowed) await save(redisStore(commands));
    await setPolicy(redis, "noeviction");
  });

  test("a server that says neither by INFO nor by CONFIG is used, and one warning says so", async () => {
    const admin = new RespClient({ url: redis.url });
    await admin.call(["ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-info", "-config"]);
    closes.push(() => admin.close());
    const url = redis.url.replace("//", "//app:secret@");
    const client = new Redis(url);
    closes.push(() => client.disconnect());
    const warnings: string[] = [];
    const clock = handClock();
    const store = redisStore(ioredisCommands(client, { warn: (text) => warnings.push(text), clock }));
    await save(store);
    clock.advance(61_000);
    await save(store);
    expect(warnings).toEqual([expect.stringContaining("noeviction")]);
  });
});

test("the policy is asked for once a minute, by one of those who wait, and again when the question failed", async () => {
  const clock = handClock();
  let questions = 0;
  let policy: string | Error = new Error("connection lost");
  const commands = refusingEviction(
    {
      send: async ([name]) => {
        if (name !== "INFO") return "OK";
        questions++;
        if (policy instanceof Error) throw policy;
        return `# Memory\r\nmaxmemory_policy:${policy}\r\n`;
      },
      transaction: async () => [],
      watched: async () => [],
    },
    { clock },
  );
  expect(commands.send(["GET", "k"])).rejects.toThrow("connection lost");
  await Bun.sleep(0);
  policy = "noeviction";
  await Promise.all(Array.from({ length: 10 }, () => commands.send(["GET", "k"])));
  expect(questions).toBe(2);
  policy = "allkeys-lru";
  clock.advance(59_000);
  await commands.transaction([]);
  clock.advance(2000);
  expect(await codeOf(() => commands.watched("k", async () => undefined))).toBe("session-store-evicts");
  expect(questions).toBe(3);
});
