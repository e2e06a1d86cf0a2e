/** `tenfold db` at a server that lets nobody in without TLS, as managed ones do. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { hasOpenssl, makeAuthority, makeCertificate } from "../base/testing/certificates.ts";
import { hasPostgres, startPostgres, type TestPostgres } from "../base/testing/postgres.ts";
import { MAIN } from "./testing/app-folder.ts";

setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres || !hasOpenssl)("a server with TLS alone (needs Postgres, openssl)", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-cli-tls-"));
  const authority = makeAuthority(folder);
  let server: TestPostgres;

  beforeAll(async () => {
    const ssl = makeCertificate(folder, "server", authority);
    const access = "hostssl all all 127.0.0.1/32 scram-sha-256\nlocal all all trust\n";
    server = await startPostgres({ access, ssl });
    copyFileSync(authority.cert, join(folder, "root.pem"));
    const owner = new Client(server.connection);
    await owner.connect();
    await owner.query("create table events (id int primary key, note text)");
    await owner.query("insert into events select i, 'note ' || i from generate_series(1, 1000) i");
    await owner.end();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function tenfold(query: string, ...words: string[]): Promise<{ code: number; text: string }> {
    const url = `postgres://postgres@127.0.0.1:${server.port}/postgres${query}`;
    const child = Bun.spawn([process.execPath, MAIN, "db", ...words, "--database", url], {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, PGPASSWORD: "secret" },
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, text: `${out}${err}` };
  }

  test("is asked for advice and for its budget", async () => {
    const advice = await tenfold("?sslmode=verify-full&sslrootcert=root.pem", "advise");
    expect(advice).toMatchObject({ code: 0, text: expect.stringContaining("pg_stat_statements") });
    expect(await tenfold("?sslmode=require&channel_binding=require", "budget")).toMatchObject({ code: 0 });
    expect(await tenfold("", "budget")).toMatchObject({ code: 0 }); // by default TLS where the server has it
  });

  test("has a table partitioned", async () => {
    const by = ["--by", "hash(id)", "--parts", "4"];
    const verified = "?sslmode=verify-ca&sslrootcert=root.pem";
    expect(await tenfold(verified, "partition", "events", ...by)).toMatchObject({ code: 0 });
    const owner = new Client(server.connection);
    await owner.connect();
    const { rows } = await owner.query(
      "select count(*)::int as rows, count(distinct tableoid)::int as parts from events",
    );
    await owner.end();
    expect(rows).toEqual([{ rows: 1000, parts: 4 }]);
  });

  test("is not spoken to in clear, nor when its certificate is not known", async () => {
    const clear = await tenfold("?sslmode=disable", "budget");
    expect(clear).toMatchObject({ code: 1, text: expect.stringContaining("no encryption") });
    const unknown = await tenfold("?sslmode=verify-full", "partition", "events", "--abort");
    expect(unknown.code).toBe(1);
    expect(unknown.text).toContain("the server may be an impostor: its certificate is of no CA that we know");
    expect(unknown.text).toContain("mend sslmode or its files in the URL");
    const missing = await tenfold("?sslmode=verify-ca&sslrootcert=none.pem", "budget");
    expect(missing.text).toContain("none.pem cannot be read");
  });
});
