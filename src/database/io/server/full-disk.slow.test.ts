import { describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerSource } from "../../orders.ts";
import {
  clientOf,
  emptyServer,
  NO_POSTGRES,
  serverFolder,
  startedPrimary,
  until,
  valueOf,
} from "../../testing/servers.ts";
import { CAN_MOUNT, smallDisk } from "../../testing/small-disk.ts";
import { clone } from "./clone.ts";
import type { PostgresServer } from "./postgres-server.ts";

const MIB = 1024 * 1024;

/** Room for a cluster and some log; what is taken up until the test makes room again. */
const DISK = 260 * MIB;
const BALLAST = 130 * MIB;

/** 1 MiB in a row that is not packed. */
const ROW = (id: number): string =>
  `insert into kept select ${id}, string_agg(md5(random()::text), '') from generate_series(1, 32768)`;
const TABLE =
  "create table kept (id int primary key, filler text); alter table kept alter filler set storage external";

interface Disk {
  readonly folder: string;
  readonly makeRoom: () => void;
}

async function disk(): Promise<Disk> {
  const folder = await serverFolder();
  smallDisk(folder, DISK);
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, new Uint8Array(BALLAST));
  return { folder: join(folder, "server"), makeRoom: () => rmSync(ballast) };
}

/** Inserts rows until one is refused: how many were acknowledged, and the last refusal. */
async function fill(
  server: PostgresServer,
  rowsMax: number,
): Promise<{ acknowledged: number; refusal: string }> {
  const client = await clientOf(server);
  for (let id = 0; id < rowsMax; id++) {
    const refusal = await client.query(ROW(id)).then(() => undefined, String);
    if (refusal !== undefined) return { acknowledged: id, refusal };
  }
  return { acknowledged: rowsMax, refusal: "" };
}

describe.skipIf(NO_POSTGRES || !CAN_MOUNT)("a full disk (needs Postgres and mount)", () => {
  test("of a primary refuses writes, loses none that was acknowledged, and takes them again when there is room", async () => {
    const { folder, makeRoom } = await disk();
    const primary = await startedPrimary({
      folder,
      settings: { max_wal_size: "64MB", min_wal_size: "32MB" },
    });
    await primary.query(TABLE);
    const { acknowledged, refusal } = await fill(primary, 300);
    expect(acknowledged).toBeGreaterThan(3);
    expect(refusal).toMatch(/No space left on device|connection|terminat|closed/i);
    await until("it says why", async () =>
      /No space left on device/.test(await readFile(primary.logFile, "utf8")),
    );
    makeRoom();
    await until(
      "it serves",
      () =>
        primary
          .start()
          .then(() => primary.query("select 1"))
          .then(
            () => true,
            () => false,
          ),
      30_000,
    );
    expect(Number(await valueOf(primary, "select count(*) from kept"))).toBeGreaterThanOrEqual(acknowledged);
    await primary.query(ROW(1000));
    expect(await valueOf(primary, "select length(filler) from kept where id = 1000")).toBe(String(MIB));
  }, 120_000);

  test("of a replica holds nobody up, and it catches up when there is room", async () => {
    const { folder, makeRoom } = await disk();
    const primary = await startedPrimary();
    await primary.query(TABLE);
    const replica = await emptyServer({ folder, settings: { max_wal_size: "64MB", min_wal_size: "32MB" } });
    const source: ServerSource = {
      name: primary.name,
      host: "127.0.0.1",
      port: primary.options.settings.port,
      data: primary.data,
    };
    await clone(replica, source);
    await replica.start();
    await until("it streams", async () => (await primary.view()).replicas.length === 1);
    const { acknowledged } = await fill(primary, 60);
    expect(acknowledged).toBe(60);
    await until(
      "it says why",
      async () => /No space left on device/.test(await readFile(replica.logFile, "utf8")),
      30_000,
    );
    makeRoom();
    await until(
      "it has all",
      () =>
        replica
          .start()
          .then(() => valueOf(replica, "select count(*) from kept"))
          .then(
            (count) => count === "60",
            () => false,
          ),
      60_000,
    );
  }, 150_000);
});
