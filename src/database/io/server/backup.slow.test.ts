import { describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveLagBytes } from "../../server-view.ts";
import { emptyServer, NO_POSTGRES, serverFolder, startedPrimary, valueOf } from "../../testing/servers.ts";
import { BackupStore } from "./backup-store.ts";
import { findOwner } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { restore, verifyBackup } from "./restore.ts";

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
    const lsn = (await valueOf(primary, "select pg_current_wal_insert_lsn()")) ?? "";
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
      [{ kind: "lsn", at: lsn }, "in-backup,before"],
      [{ kind: "name", at: "before-the-accident" }, "in-backup,before"],
    ] as const;
    for (const [point, expected] of points) {
      const restored = await emptyServer();
      expect(await restore(store, restored, point)).toEqual({ backup: backup.id, timeline: 2 });
      expect([point.kind, await rows(restored)]).toEqual([point.kind, expected]);
      await restored.query("insert into kept (word) values ('goes on')");
      await restored.fence(0);
    }
    await primary.stop(); // its last segment goes to the archive
    const latest = await emptyServer();
    await restore(store, latest, { kind: "latest" });
    expect(await rows(latest)).toBe("in-backup,before,after,never archived");
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
