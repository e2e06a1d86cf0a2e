import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { createLog, systemClock } from "../base/index.ts";
import { freePort } from "../base/testing.ts";
import { type RunningRouter, runRouter } from "./run-router.ts";

setDefaultTimeout(60_000);

const pgbouncer = Bun.which("pgbouncer", { PATH: `${process.env["PATH"]}:/usr/sbin` });

/** PgBouncer refuses to run as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe.skipIf(pgbouncer === null)("the console beside PgBouncer's (needs pgbouncer)", () => {
  let folder: string;
  let process: ChildProcess;
  let router: RunningRouter;
  let theirs: Client;
  let ours: Client;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "columns-"));
    const port = freePort();
    const lines = [
      "[databases]",
      "* = host=127.0.0.1 port=1",
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = any",
    ];
    writeFileSync(join(folder, "ini"), `${lines.join("\n")}\n`);
    chmodSync(folder, 0o755);
    process = spawn(pgbouncer ?? "", ["-q", join(folder, "ini")], { stdio: "ignore", ...NOBODY });
    router = await runRouter({
      address: { host: "127.0.0.1", port: 0 },
      workers: 1,
      cluster: {
        revision: 1,
        name: "main",
        term: 1,
        state: "no-primary",
        primary: undefined,
        servers: [],
        mode: "async",
      },
      authentication: "trust",
      adminUsers: ["postgres"],
      drainMs: 0,
      log: createLog({ clock: systemClock, level: "error", write: () => {} }),
    });
    ours = await connected(router.address.port);
    theirs = await connected(port);
  });
  afterAll(async () => {
    await ours?.end();
    await theirs?.end();
    process?.kill("SIGKILL");
    await router?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A client of the console; it may not listen yet. */
  async function connected(port: number): Promise<Client> {
    for (let attempt = 0; ; attempt++) {
      const client = new Client({ host: "127.0.0.1", port, user: "postgres", database: "pgbouncer" });
      client.on("error", () => {});
      try {
        await client.connect(); // oxlint-disable-line no-await-in-loop -- one attempt after another
        return client;
      } catch (problem) {
        if (attempt === 200) throw problem;
        await new Promise((resolve) => setTimeout(resolve, 50)); // oxlint-disable-line no-await-in-loop -- see above
      }
    }
  }
  const columns = async (client: Client, what: string): Promise<string[]> =>
    (await client.query(`SHOW ${what}`)).fields.map(({ name }) => name);
  const firsts = async (client: Client, what: string): Promise<unknown[]> =>
    (await client.query<unknown[]>({ text: `SHOW ${what}`, rowMode: "array" })).rows.map(([first]) => first);

  /** Without what later versions than the one that is here have: `tables.test.ts` has the lists of the newest. */
  const knownTo = (known: readonly unknown[], names: readonly unknown[]): unknown[] =>
    names.filter((name) => known.includes(name));

  test.each([
    "STATS",
    "STATS_TOTALS",
    "STATS_AVERAGES",
    "TOTALS",
    "POOLS",
    "CLIENTS",
    "SERVERS",
    "LISTS",
    "USERS",
    "DATABASES",
    "CONFIG",
    "MEM",
    "VERSION",
  ])("SHOW %s has its columns, in its order", async (what) => {
    // Later versions call it reserve_pool_size.
    const theirsNow = (await columns(theirs, what)).filter((name) => name !== "reserve_pool");
    expect(knownTo(theirsNow, await columns(ours, what))).toEqual(theirsNow);
  });

  test.each(["LISTS", "TOTALS"])("SHOW %s has its rows", async (what) => {
    expect(knownTo(await firsts(theirs, what), await firsts(ours, what))).toEqual(await firsts(theirs, what));
  });

  test("every key of SHOW CONFIG is one of its own", async () => {
    const known = await firsts(theirs, "CONFIG");
    // PgBouncer's from 1.21 and 1.24 on.
    const later = ["max_prepared_statements", "max_db_client_connections", "max_user_client_connections"];
    expect(
      (await firsts(ours, "CONFIG")).filter((key) => !known.includes(key) && !later.includes(String(key))),
    ).toEqual([]);
  });
});
