/** A data directory that was there before, configured as Debian's packages do it, becomes the first server of a cluster. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { hasDebianPostgres, hasPostgres } from "../base/testing/postgres.ts";
import { freePort } from "../base/testing.ts";
import { findOwner } from "../database/io/index.ts";
import { until } from "../database/testing/servers.ts";
import { MAIN } from "./testing/app-folder.ts";
import { connectDatabase } from "./testing/database.ts";

setDefaultTimeout(60_000);

const DEBIAN = "/usr/lib/postgresql/15";

describe.skipIf(!hasDebianPostgres)("a data directory of Debian's (needs Debian's Postgres)", () => {
  const root = mkdtempSync(join(tmpdir(), "tenfold-given-"));
  const [data, etc] = [join(root, "lib/15/main"), join(root, "etc/15/main")];
  const [port, second] = [freePort(), freePort()];
  const folder = join(root, ".tenfold/database");
  const running: Bun.Subprocess[] = [];
  let asOwner: (program: string, ...args: string[]) => void;

  beforeAll(async () => {
    const owner = await findOwner();
    chmodSync(root, 0o755);
    for (const path of [join(root, "lib/15"), join(etc, "conf.d")]) mkdirSync(path, { recursive: true });
    if (owner !== undefined) chownSync(join(root, "lib/15"), owner.uid, owner.gid);
    asOwner = (program, ...args) => {
      const { status, stderr, stdout } = spawnSync(join(DEBIAN, "bin", program), args, {
        ...owner,
        cwd: "/",
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
    };
    asOwner("initdb", "-D", data, "-A", "peer", "--no-sync");
    for (const name of ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"])
      renameSync(join(data, name), join(etc, name));
    appendFileSync(
      join(etc, "postgresql.conf"),
      `data_directory = '${data}'\nhba_file = '${etc}/pg_hba.conf'\nident_file = '${etc}/pg_ident.conf'\n` +
        `port = ${port}\nunix_socket_directories = ''\nwork_mem = '7MB'\nwal_level = logical\ninclude_dir = 'conf.d'\n`,
    );
    writeFileSync(join(etc, "conf.d/10-ours.conf"), "max_connections = 77\n");
    writeFileSync(join(etc, "pg_hba.conf"), "host all all 127.0.0.1/32 trust\n");
    start();
    const client = await clientOf("postgres");
    await client.query("create role app login password 'app'");
    await client.query("create table kept as select generate_series(1, 100) as id");
    await client.query("grant select on kept to app");
    await client.end();
  });
  afterAll(async () => {
    for (const child of running) {
      child.kill("SIGTERM");
      await child.exited;
    }
    rmSync(root, { recursive: true, force: true });
  });

  /** As pg_ctlcluster does it. */
  const start = (): void =>
    asOwner(
      "pg_ctl",
      "start",
      "-w",
      "-s",
      "-D",
      data,
      "-l",
      "/dev/null",
      "-o",
      `-c config_file=${etc}/postgresql.conf`,
    );
  const stop = (): void => asOwner("pg_ctl", "stop", "-w", "-s", "-D", data, "-m", "fast");

  async function clientOf(user: string, password = "", at = port): Promise<Client> {
    const client = new Client({ host: "127.0.0.1", port: at, user, password, database: "postgres" });
    await client.connect();
    return client;
  }

  /** Runs it until it serves or ends; what it said. */
  async function serve(...words: string[]): Promise<string> {
    const child = Bun.spawn([process.execPath, MAIN, "db", "serve", ...words], {
      cwd: root,
      stdout: "pipe",
      stderr: "pipe",
    });
    let text = "";
    for await (const bytes of child.stdout) {
      text += new TextDecoder().decode(bytes);
      if (!text.includes("postgres://")) continue;
      running.push(child);
      return text;
    }
    return `${text}${await child.stderr.text()}`;
  }
  const given = ["db1", "--data", data, "--address", `127.0.0.1:${port}`];
  const taken = [...given, "--postgres", DEBIAN];

  test("is refused while somebody else's server runs there", async () => {
    expect(await serve(...taken)).toContain(`a server runs in ${data}`);
    stop();
  });

  test("is refused where it does not fit, and nothing is changed", async () => {
    const before = readFileSync(join(etc, "postgresql.conf"), "utf8");
    if (hasPostgres) expect(await serve(...given)).toContain("is of Postgres 15, and");
    if (process.getuid?.() === 0)
      expect(await serve(...taken, "--user", "nobody")).toMatch(
        /belongs to uid \d+, and Postgres would run as/,
      );
    writeFileSync(join(data, "standby.signal"), "");
    expect(await serve(...taken)).toContain("is a replica (it has standby.signal)");
    rmSync(join(data, "standby.signal"));
    expect(await serve("db1", "--data", etc, "--postgres", DEBIAN)).toContain("it has no PG_VERSION");
    expect(readFileSync(join(etc, "postgresql.conf"), "utf8")).toBe(before);
    start(); // its own server still does, by its own configuration
    stop();
  });

  test("is served with its rows, its settings below ours, its access after ours", async () => {
    expect(await serve(...taken)).toContain("database db1 at");
    const query = connectDatabase(folder);
    const [row] = await query(
      port,
      "select current_setting('work_mem') as a, current_setting('max_connections') as b, current_setting('wal_level') as c, current_setting('data_directory') as d, current_setting('password_encryption') as e",
    );
    expect(row).toEqual({ a: "7MB", b: "77", c: "logical", d: data, e: "scram-sha-256" });
    const app = await clientOf("app"); // by its own line: trust
    expect((await app.query("select count(*)::int as n from kept")).rows).toEqual([{ n: 100 }]);
    await app.end();
    expect(await clientOf("postgres").catch(String)).toContain("password"); // ours come first for our roles
  });

  test("is cloned into a replica, whose commands see both", async () => {
    const replica = ["db2", "--address", `127.0.0.1:${second}`, "--postgres", DEBIAN];
    expect(await serve(...replica)).toContain("cloned db1");
    const query = connectDatabase(folder);
    await query(port, "insert into kept values (101)");
    await until(
      "it is there",
      async () => (await query(second, "select count(*) as n from kept"))[0]?.["n"] === "101",
    );
    const app = await clientOf("app", "", second);
    expect((await app.query("show work_mem")).rows).toEqual([{ work_mem: "7MB" }]);
    await app.end();
  });

  test("is served again by the same words, and copied anew into its own place", async () => {
    const [first] = running.splice(0, 1);
    first?.kill("SIGTERM");
    await first?.exited;
    expect(await serve(...taken)).toContain("database db1 at");
    const tenfold = (...words: string[]): string =>
      spawnSync(process.execPath, [MAIN, "db", ...words], { cwd: root, encoding: "utf8" }).stdout;
    // The replica has to find its primary again first.
    await until("they change places", async () => tenfold("switchover", "db2").includes("db1 follows db2"));
    expect(tenfold("reclone", "db1")).toContain("db1 is a copy of db2");
    expect((await connectDatabase(folder)(port, "show data_directory"))[0]).toEqual({ data_directory: data });
  });
});
