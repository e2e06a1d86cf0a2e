import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../base/testing.ts";
import { NO_POSTGRES } from "../database/testing/servers.ts";
import { MAIN } from "./testing/app-folder.ts";
import { connectDatabase } from "./testing/database.ts";

const folder = mkdtempSync(join(tmpdir(), "tenfold-cli-db-"));
chmodSync(folder, 0o755);
const children: Bun.Subprocess[] = [];

afterAll(async () => {
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.map((child) => child.exited));
  rmSync(folder, { recursive: true, force: true });
});

async function tenfold(...words: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, MAIN, "db", ...words], {
    cwd: folder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return `${out}${err}`;
}

/** Starts a server and waits until it says that it is there. */
async function serve(...words: string[]): Promise<Bun.Subprocess> {
  const child = Bun.spawn([process.execPath, MAIN, "db", "serve", ...words], {
    cwd: folder,
    stdout: "pipe",
    stderr: "inherit",
  });
  children.push(child);
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("postgres://")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`it ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  return child;
}

describe.skipIf(NO_POSTGRES)("tenfold db (needs Postgres)", () => {
  const [first, second, third] = [freePort(), freePort(), freePort()];

  test("runs a primary and a replica, hands over, backs up, restores, and promotes after a death", async () => {
    expect(await tenfold("status")).toContain("there is no database in");
    await serve("db1", "--new", "--address", `127.0.0.1:${first}`, "--backups", "backups");
    await serve("db2", "--address", `127.0.0.1:${second}`, "--backups", "backups");
    const query = connectDatabase(join(folder, ".tenfold/database"));
    await query(first, "create table kept (id int)");
    await query(first, "insert into kept values (1)");
    expect(await tenfold("status")).toMatch(/db1 +primary +running.*\n *db2 +replica +running/);

    expect(await tenfold("promote", "db2")).toContain("db1 is primary and runs: hand over");
    expect(await tenfold("switchover", "db2")).toMatch(
      /db1 stopped.*\ndb2 is primary of term 1, timeline 2\ndb1 follows db2/,
    );
    await query(second, "insert into kept values (2)");

    expect(await tenfold("backup", "--label", "two words")).toContain('"two words" is no --label');
    expect(await tenfold("backup", "db1")).toContain("db backup takes no name");
    expect(await tenfold("backup", "--label", "nightly")).toMatch(/backup \d{8}T\d{6}Z of db2/);
    expect(await tenfold("backups", "--backups", "backups", "--verify")).toMatch(/nightly.* whole/);
    await query(second, "insert into kept values (3)");
    const [row] = await query(second, "select pg_create_restore_point('three')");
    expect(row).toBeDefined();
    await query(second, "delete from kept");
    const [switched] = await query(second, "select pg_walfile_name(pg_switch_wal()) as name");
    while (!existsSync(join(folder, "backups/wal", switched?.["name"] ?? ""))) await Bun.sleep(20);
    const all = ["restore", "db1", "--backups", "backups", "--into", ".tenfold/database"];
    expect(await tenfold(...all)).toContain("is the folder of a cluster that has db2: restore into a new");
    const restored = await tenfold(
      "restore",
      "db1",
      "--backups",
      "backups",
      "--into",
      "restored",
      "--point",
      "three",
      "--address",
      `127.0.0.1:${third}`,
    );
    expect(restored).toContain("restored backup");
    await serve("db1", "--folder", "restored", "--address", `127.0.0.1:${third}`);
    const old = connectDatabase(join(folder, "restored"));
    expect(await old(third, "select count(*) as n from kept")).toEqual([{ n: "3" }]);

    children[1]?.kill("SIGKILL");
    const [{ pid } = { pid: "0" }] = await query(
      second,
      "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid",
    );
    process.kill(Number(pid), "SIGKILL");
    expect(await tenfold("promote", "db1")).toContain("db2 may still take writes: no agent answers there");
    expect(await tenfold("promote", "db1", "--force")).toContain("db1 is primary of term 2, timeline 3");
    await query(first, "insert into kept values (4)");
  }, 60_000);
});
