import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { slotName } from "../../server-settings.ts";
import {
  clientOf,
  emptyServer,
  INSTALLATIONS,
  NO_POSTGRES,
  serverFolder,
  sourceOf,
  startedPrimary,
  until,
  valueOf,
} from "../../testing/servers.ts";
import { CAN_MOUNT, smallDisk } from "../../testing/small-disk.ts";
import { BackupStore } from "./backup-store.ts";
import { clone } from "./clone.ts";
import { findOwner } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { rejoin } from "./rejoin.ts";
import { checkSlot, ensureSlot } from "./slots.ts";

const MIB = 1024 * 1024;

/** 100 MB in a table with an index. */
async function filled(server: PostgresServer): Promise<void> {
  await server.query("create table kept (id int primary key, number int, filler text)");
  await server.query(
    "insert into kept select g, 0, repeat(md5(g::text), 10) from generate_series(1, 250000) g",
  );
  await server.query("checkpoint");
}

const SUM =
  "select count(*) || ' ' || sum(number) || ' ' || md5(string_agg(md5(k::text), '' order by id)) from kept k";

for (const [name, find] of Object.entries(INSTALLATIONS)) {
  describe(`a clone of 100 MB with ${name}`, () => {
    test("under concurrent writes is the same as its source, row by row, and shows its progress", async () => {
      const primary = await startedPrimary({ binaries: await find() });
      await filled(primary);
      const stop = new AbortController();
      let writes = 0;
      const write = async (): Promise<void> => {
        const client = await clientOf(primary);
        for (; !stop.signal.aborted; writes++) {
          const id = 1 + ((writes * 7919) % 250_000);
          await client.query(`update kept set number = number + 1 where id between ${id} and ${id + 20}`);
          await client.query(
            `insert into kept select max(id) + 1, 0, 'new' from kept on conflict do nothing`,
          );
        }
      };
      const writers = Array.from({ length: 4 }, write);
      const replica = await emptyServer({ binaries: primary.options.binaries });
      const steps: number[] = [];
      const { copiedBytes } = await clone(replica, sourceOf(primary), {
        onProgress: (progress) => steps.push(progress.copiedBytes),
      });
      stop.abort();
      await Promise.all(writers);
      await replica.start();
      const { flushedLsn } = await primary.view();
      await until(
        "it has all",
        async () => (await valueOf(replica, `select pg_last_wal_replay_lsn() >= '${flushedLsn}'`)) === "t",
        30_000,
      );
      expect([copiedBytes > 100 * MIB, steps.length > 50, writes > 10]).toEqual([true, true, true]);
      expect(await valueOf(replica, SUM)).toBe((await valueOf(primary, SUM)) ?? "");
    }, 90_000);
  });
}

describe.skipIf(NO_POSTGRES)("a clone (needs Postgres)", () => {
  test("whose process is killed leaves no server, and the next one succeeds", async () => {
    const primary = await startedPrimary();
    await filled(primary);
    const replica = await emptyServer();
    const { clock: _clock, scheduler: _scheduler, log: _log, ...options } = replica.options;
    const program = join(import.meta.dir, "../../testing/clone-process.ts");
    const child = Bun.spawn(
      [process.execPath, program, JSON.stringify(options), JSON.stringify(sourceOf(primary))],
      { stdout: "pipe" },
    );
    const { value } = await child.stdout.getReader().read();
    child.kill("SIGKILL");
    await child.exited;
    expect(value?.length).toBeGreaterThan(0);
    expect([existsSync(replica.data), existsSync(`${replica.data}.clone`)]).toEqual([false, true]);
    expect(await replica.start().catch(String)).toContain("there is no cluster");
    await clone(replica, sourceOf(primary));
    await replica.start();
    expect(await valueOf(replica, "select count(*) from kept")).toBe("250000");
    expect(existsSync(`${replica.data}.clone`)).toBe(false);
  }, 60_000);

  test("that is ended on the way leaves nothing", async () => {
    const primary = await startedPrimary();
    await filled(primary);
    const replica = await emptyServer();
    const abort = new AbortController();
    const cloned = clone(replica, sourceOf(primary), {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    expect(await cloned.catch(String)).toContain("was ended");
    expect(readdirSync(replica.options.folder)).toEqual(["replication.pass"]);
    expect(await valueOf(primary, "select count(*) from kept")).toBe("250000");
  }, 60_000);

  test.skipIf(!CAN_MOUNT)(
    "that fills the disk says so and leaves nothing",
    async () => {
      const primary = await startedPrimary();
      await filled(primary);
      const disk = await serverFolder();
      smallDisk(disk, 40 * MIB);
      const replica = await emptyServer({ folder: join(disk, "server") });
      expect(await clone(replica, sourceOf(primary)).catch(String)).toContain("ENOSPC");
      expect(readdirSync(replica.options.folder)).toEqual(["replication.pass"]);
    },
    60_000,
  );

  test("during which more was written than is kept for it fails, rather than be of no use", async () => {
    const settings = { max_slot_wal_keep_size: "16MB", min_wal_size: "32MB", max_wal_size: "32MB" };
    const primary = await startedPrimary({ settings });
    const client = await clientOf(primary);
    await ensureSlot(client, "tenfold_copied");
    await checkSlot(client, "tenfold_copied");
    for (let round = 0; round < 6; round++) {
      await primary.query("create table filler as select repeat('x', 1000) from generate_series(1, 15000)");
      await primary.query("drop table filler");
      await primary.query("checkpoint");
    }
    expect(await checkSlot(client, "tenfold_copied").catch(String)).toContain("raise it");
    await ensureSlot(client, "tenfold_copied");
    await checkSlot(client, "tenfold_copied");
  }, 60_000);

  test("is made anew when the server turns out to be unable to replay what it has", async () => {
    const primary = await startedPrimary();
    const replica = await emptyServer();
    await clone(replica, sourceOf(primary));
    await replica.start();
    const at = await valueOf(primary, "select pg_current_wal_insert_lsn()");
    const file = await valueOf(primary, "select pg_walfile_name(pg_current_wal_insert_lsn())");
    await primary.query("create table kept as select 1 as id");
    await until("it follows", async () => (await valueOf(replica, "select to_regclass('kept')")) === "kept");
    await replica.stop();
    // Recovery begins where this says, and there is no checkpoint.
    const label = [
      `START WAL LOCATION: ${at} (file ${file})`,
      `CHECKPOINT LOCATION: ${at}`,
      "BACKUP METHOD: streamed",
      "BACKUP FROM: primary",
      "START TIME: 2026-01-01 00:00:00 UTC",
      "LABEL: of another time",
      "START TIMELINE: 1",
    ];
    writeFileSync(join(replica.data, "backup_label"), `${label.join("\n")}\n`, { mode: 0o644 });
    const { way, reason } = await rejoin(replica, sourceOf(primary));
    expect([way, reason]).toEqual(["cloned", expect.stringContaining("checkpoint record")]);
    await until("it follows", async () => (await valueOf(replica, "select count(*) from kept")) === "1");
  }, 60_000);

  test("is made anew when the log that a replica needs is gone", async () => {
    const primary = await startedPrimary({
      settings: { max_slot_wal_keep_size: "48MB", min_wal_size: "32MB", max_wal_size: "32MB" },
    });
    const replica = await emptyServer();
    await clone(replica, sourceOf(primary));
    await replica.start();
    await until("it streams", async () => (await primary.view()).replicas.length === 1);
    await replica.stop();
    await primary.query("create table kept as select 1 as id");
    for (let round = 0; round < 12; round++) {
      await primary.query("create table filler as select repeat('x', 1000) from generate_series(1, 15000)");
      await primary.query("drop table filler");
      await primary.query("checkpoint");
    }
    const { slots } = await primary.view();
    expect(slots).toMatchObject([{ name: slotName(replica.name), status: "lost" }]);
    const { way, reason } = await rejoin(replica, sourceOf(primary));
    expect([way, reason]).toEqual(["cloned", "the log it needs is gone from the primary"]);
    await until("it follows", async () => (await valueOf(replica, "select count(*) from kept")) === "1");
    await until("its slot is well", async () => (await primary.view()).slots[0]?.status === "reserved");
  }, 90_000);
});

describe.skipIf(NO_POSTGRES || !CAN_MOUNT)("an archive (needs Postgres and mount)", () => {
  test("whose disk is full keeps no half file, is reported, and goes on when there is room", async () => {
    const disk = await serverFolder();
    smallDisk(disk, 24 * MIB);
    writeFileSync(join(disk, "ballast"), new Uint8Array(10 * MIB));
    const store = new BackupStore(join(disk, "backups"), await findOwner());
    await store.prepare();
    const primary = await startedPrimary({ archiveCommand: store.archiveCommand });
    await primary.query("create table kept as select 1 as id");
    await valueOf(primary, "select pg_switch_wal()");
    await until("it fails", async () => (await primary.view()).archive.failedCount > 0);
    const { archive } = await primary.view();
    expect([archive.waitingFiles > 0, archive.lastArchived, readdirSync(store.wal)]).toEqual([
      true,
      null,
      [],
    ]);
    expect(await readFile(primary.logFile, "utf8")).toContain("is its disk full?");
    rmSync(join(disk, "ballast"));
    await primary.query("insert into kept values (2)");
    await valueOf(primary, "select pg_switch_wal()");
    await until("it goes on", async () => (await primary.view()).archive.lastArchived !== null, 20_000);
    await until(
      "no draft is left",
      async () => !readdirSync(store.wal).some((name) => name.endsWith(".tmp")),
    );
  }, 60_000);
});
