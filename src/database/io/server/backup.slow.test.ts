import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveLagBytes } from "../../server-view.ts";
import {
  emptyServer,
  NO_POSTGRES,
  serverFolder,
  startedPrimary,
  until,
  valueOf,
} from "../../testing/servers.ts";
import { BackupStore } from "./backup-store.ts";
import { connectControl } from "./control-client.ts";
import { restoreStrictly } from "./drain.ts";
import { findOwner } from "./owner.ts";
import { PostgresServer } from "./postgres-server.ts";
import { isRestoring, restore, verifyBackup } from "./restore.ts";

async function archiving(): Promise<{ store: BackupStore; primary: PostgresServer }> {
  const store = new BackupStore(join(await serverFolder(), "backups"), await findOwner());
  await store.prepare();
  return { store, primary: await startedPrimary({ archiveCommand: store.archiveCommand }) };
}

const rows = (server: PostgresServer): Promise<string | null> =>
  valueOf(server, "select string_agg(word, ',' order by id) from kept");

describe.skipIf(NO_POSTGRES)("a backup (needs Postgres)", () => {
  test("is restored to a time, a position, a name and the end: rows before are there, rows after are not", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    const insert = (word: string) => primary.query(`insert into kept (word) values ('${word}')`);
    await insert("in-backup");
    const backup = await store.backUp(primary, "test");
    expect(await verifyBackup(store, backup)).toBeUndefined();
    await insert("before");
    const lsnBefore = (await valueOf(primary, "select pg_current_wal_insert_lsn()")) ?? "";
    const at = new Date(
      Number(await valueOf(primary, "select extract(epoch from clock_timestamp()) * 1000")),
    ).toISOString();
    await valueOf(primary, "select pg_create_restore_point('before-the-accident')");
    await new Promise((resolve) => setTimeout(resolve, 5)); // the next commit is of another millisecond
    await insert("after");
    await valueOf(primary, "select pg_switch_wal()");
    await insert("never archived");
    const points = [
      [{ kind: "time", at }, "in-backup,before"],
      [{ kind: "lsn", at: lsnBefore }, "in-backup,before"],
      [{ kind: "name", at: "before-the-accident" }, "in-backup,before"],
    ] as const;
    for (const [point, expected] of points) {
      const restored = await emptyServer();
      expect(await restore(store, restored, point)).toMatchObject({ backup: backup.id, timeline: 2 });
      expect([point.kind, await rows(restored)]).toEqual([point.kind, expected]);
      await restored.query("insert into kept (word) values ('goes on')");
      await restored.fence(0);
    }
    await primary.stop(); // its last segment goes to the archive
    const latest = await emptyServer();
    const { lastCommit, lsn } = await restore(store, latest, { kind: "latest" });
    expect(await rows(latest)).toBe("in-backup,before,after,never archived");
    expect([Date.parse(lastCommit ?? "") > Date.parse(at), lsn > lsnBefore]).toEqual([true, true]);
  }, 30_000);

  test("is not restored to the end of an archive that lacks a file: Postgres would end there in silence", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    const backup = await store.backUp(primary, "test");
    const written: string[] = [];
    for (const word of ["one", "two", "three"]) {
      await primary.query(`insert into kept (word) values ('${word}')`);
      written.push((await valueOf(primary, "select pg_walfile_name(pg_switch_wal())")) ?? "");
    }
    await until("all are archived", async () => readdirSync(store.wal).includes(written[2] ?? ""));
    const [, second = ""] = written;
    renameSync(join(store.wal, second), join(store.folder, second));
    const server = await emptyServer();
    const refused = await restore(store, server, { kind: "latest" }).catch(String);
    expect(refused).toContain(`lacks ${second}, and later files are there`);
    const late = restore(store, server, { kind: "name", at: "never" });
    expect(await late.catch(String)).toContain(`lacks ${second}`);
    renameSync(join(store.folder, second), join(store.wal, second));
    await restore(store, server, { kind: "latest" });
    expect(await rows(server)).toBe("one,two,three");
    renameSync(join(store.wal, written[0] ?? ""), join(store.folder, "lost"));
    for (const name of readdirSync(store.wal)) if (name < second) rmSync(join(store.wal, name));
    const useless = restore(store, await emptyServer(), { kind: "time", at: "2100-01-01T00:00:00Z" });
    expect(await useless.catch(String)).toContain(`backup ${backup.id} needs it`);
  }, 30_000);

  test("whose restore is killed while the log is replayed is restored by the next one", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    await store.backUp(primary, "test");
    await primary.query("insert into kept (word) values ('whole')");
    const name = (await valueOf(primary, "select pg_walfile_name(pg_switch_wal())")) ?? "";
    const path = join(store.wal, name);
    await until("it is archived", async () => existsSync(path));
    renameSync(path, `${path}.away`);
    spawnSync("mkfifo", ["-m", "644", path]); // whoever copies it waits
    const server = await emptyServer();
    const { clock: _clock, scheduler: _scheduler, log: _log, ...options } = server.options;
    const program = join(import.meta.dir, "../../testing/restore-process.ts");
    const child = Bun.spawn([process.execPath, program, JSON.stringify(options), store.folder]);
    await until("it waits for the file", async () => existsSync(join(server.data, "postmaster.pid")));
    child.kill("SIGKILL");
    await child.exited;
    expect(isRestoring(server)).toBe(true);
    renameSync(`${path}.away`, path);
    await restore(store, server, { kind: "latest" });
    expect([await rows(server), isRestoring(server)]).toEqual(["whole", false]);
  }, 30_000);

  test("gets new passwords where nobody knows the old ones", async () => {
    const { store, primary } = await archiving();
    await store.backUp(primary, "test");
    const { options } = await emptyServer();
    const passwords = { superuser: "another", replication: "and another" };
    const server = new PostgresServer({ ...options, passwords, trustsSocket: true });
    await restore(store, server, { kind: "latest" }, { setsPasswords: true });
    await server.stop();
    const closed = new PostgresServer({ ...options, passwords });
    await closed.start();
    expect(await valueOf(closed, "select count(*) from pg_roles where rolname = 'postgres'")).toBe("1");
    const old = connectControl({
      ...closed.address,
      user: "postgres",
      password: options.passwords.superuser,
    });
    expect(await old.catch(String)).toContain("password authentication failed");
    await closed.fence(0);
  }, 30_000);

  test("that is damaged or cannot reach the point is refused, and nothing is left of the attempt", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    const backup = await store.backUp(primary, "test");
    const early = await emptyServer();
    const before = { kind: "time", at: new Date(backup.startedAtMs - 1000).toISOString() } as const;
    expect(await restore(store, early, before).catch(String)).toContain("no backup that ended before");
    const late = await emptyServer();
    expect(await restore(store, late, { kind: "name", at: "never" }).catch(String)).toContain(
      "ends before the point",
    );
    const file = backup.files.find(({ path, bytes }) => path.startsWith("base/") && bytes > 0)?.path ?? "";
    writeFileSync(join(store.dataOf(backup.id), file), "rot");
    expect(await verifyBackup(store, backup)).toBe(`${file} is damaged`);
    const rotten = await emptyServer();
    expect(await restore(store, rotten, { kind: "latest" }).catch(String)).toContain(`${file} is damaged`);
    expect(readdirSync(rotten.options.folder).filter((name) => name.startsWith("data"))).toEqual([]);
  }, 30_000);

  test("goes when newer ones are enough, with the log that only it needed", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    const first = await store.backUp(primary, "first");
    await new Promise((resolve) => setTimeout(resolve, 1000)); // ids are seconds
    const second = await store.backUp(primary, "second");
    const before = readdirSync(store.wal).length;
    const pruned = await store.prune(1);
    expect([pruned.backups, pruned.walFiles > 0]).toEqual([[first.id], true]);
    expect(readdirSync(store.wal).length).toBe(before - pruned.walFiles);
    const restored = await emptyServer();
    await restore(store, restored, { kind: "latest" });
    expect((await store.list()).map(({ id }) => id)).toEqual([second.id]);
  }, 30_000);
});

describe.skipIf(NO_POSTGRES)("an archive (needs Postgres)", () => {
  test("takes a file once, takes the same again, and refuses another under its name", async () => {
    const store = new BackupStore(join(await serverFolder(), "it's 100%"), undefined);
    await store.prepare();
    const folder = await serverFolder();
    const name = "000000010000000000000001";
    const archive = async (text: string): Promise<number> => {
      const path = join(folder, name);
      writeFileSync(path, text);
      const command = store.archiveCommand
        .replaceAll("%%", "\0")
        .replace("%p", path)
        .replace("%f", name)
        .replaceAll("\0", "%");
      return Bun.spawn(["sh", "-c", command], { stderr: "ignore" }).exited;
    };
    expect([await archive("one"), await archive("one"), await archive("two")]).toEqual([0, 0, 1]);
    expect(await Bun.file(join(store.wal, name)).text()).toBe("one");
    expect(readdirSync(store.wal)).toEqual([name]);
  });

  test("that has a file which cannot be copied ends a recovery, and one that has none is its end", async () => {
    const folder = await serverFolder();
    writeFileSync(join(folder, "there"), "log");
    const run = (name: string, to: string): Promise<number> => {
      const command = restoreStrictly(folder).replaceAll("%f", name).replaceAll("%p", to);
      return Bun.spawn(["sh", "-c", command], { stderr: "ignore" }).exited;
    };
    const to = join(folder, "copy");
    expect([await run("there", to), await run("missing", to), await run("there", "/nowhere/x")]).toEqual([
      0, 1, 255,
    ]);
  });

  test("that refuses files is told before a backup is begun", async () => {
    const { store, primary } = await archiving();
    await primary.query("create table kept (id serial, word text)");
    rmSync(store.wal, { recursive: true });
    await valueOf(primary, "select pg_switch_wal()");
    await until("it fails", async () => (await primary.view()).archive.failedCount > 0);
    expect(await store.backUp(primary, "test").catch(String)).toContain("the archive refuses 0000000100");
    expect(readdirSync(join(store.folder, "base"))).toEqual([]);
  });

  test("that is behind is seen in the server's view", async () => {
    const { store, primary } = await archiving();
    const view = await primary.view();
    expect(view.archive).toMatchObject({ enabled: true, failedCount: 0, waitingFiles: 0 });
    expect(archiveLagBytes(view)).toBeGreaterThan(0);
    await valueOf(primary, "select pg_switch_wal()");
    for (let tries = 0; tries < 500 && (await primary.view()).archive.lastArchived === null; tries++)
      await Bun.sleep(10);
    expect(archiveLagBytes(await primary.view())).toBeLessThan(16 * 1024 * 1024);
    expect(readdirSync(store.wal).length).toBeGreaterThan(0);
  });
});
