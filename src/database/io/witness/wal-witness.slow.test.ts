import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createLog, systemClock, systemScheduler } from "../../../base/index.ts";
import { eventually } from "../../../base/testing.ts";
import { formatLsn, parseLsn } from "../../../pgwire/index.ts";
import { PgConnection } from "../../../pgwire/io/index.ts";
import { REPLICATION_ROLE, slotName } from "../../server-settings.ts";
import {
  emptyServer,
  NO_POSTGRES,
  serverFolder,
  startedPrimary,
  until,
  valueOf,
} from "../../testing/servers.ts";
import { clone } from "../server/clone.ts";
import type { PostgresServer } from "../server/postgres-server.ts";
import type { LogSource } from "./log-receiver.ts";
import { WalWitness } from "./wal-witness.ts";

const witnesses = new Set<WalWitness>();
const mounts: string[] = [];

afterEach(async () => {
  await Promise.all([...witnesses].map((witness) => witness.stop()));
  witnesses.clear();
  for (const path of mounts.splice(0)) Bun.spawnSync(["umount", path]);
});

async function startWitness(server: PostgresServer, folder?: string): Promise<WalWitness> {
  const witness = await WalWitness.start({
    name: "w1",
    folder: folder ?? join(await serverFolder(), "witness"),
    listen: { host: "127.0.0.1", port: 0 },
    user: REPLICATION_ROLE,
    password: server.options.passwords.replication,
    keepSegments: 4,
    clock: systemClock,
    scheduler: systemScheduler,
    log: createLog({ write: () => {}, clock: systemClock, level: "error" }),
  });
  witnesses.add(witness);
  return witness;
}

function sourceOf(server: PostgresServer, slot?: string): LogSource {
  const { host, port } = server.options.settings;
  return { host, port, user: REPLICATION_ROLE, password: server.options.passwords.replication, slot };
}

/** A primary whose commits wait for the witness, and a replica that gets nothing any more. */
async function twoServersAndWitness(): Promise<{
  primary: PostgresServer;
  replica: PostgresServer;
  witness: WalWitness;
  folder: string;
}> {
  const primary = await startedPrimary();
  await primary.query("create table kept (id int)");
  const replica = await emptyServer();
  const { host, port } = primary.options.settings;
  await clone(replica, { name: primary.name, host, port, data: primary.data });
  await replica.start();
  await until(
    "the table arrives",
    async () => (await valueOf(replica, "select to_regclass('kept')")) === "kept",
  );
  await replica.follow({ host: "127.0.0.1", port: 1, slot: undefined });
  await until(
    "the replica gets nothing any more",
    async () => (await valueOf(replica, "select count(*) from pg_stat_wal_receiver")) === "0",
  );
  const folder = join(await serverFolder(), "witness");
  const witness = await startWitness(primary, folder);
  await primary.setSlots([replica.name, "w1"]);
  witness.follow(sourceOf(primary, slotName("w1")));
  await primary.setQuorum(1, ["w1", replica.name]);
  return { primary, replica, witness, folder };
}

async function loseMachine(primary: PostgresServer): Promise<void> {
  await primary.fence(0);
  await rm(primary.data, { recursive: true });
}

describe.skipIf(NO_POSTGRES)("a witness (needs Postgres)", () => {
  test("alone holds what was committed: the machine of the primary is lost, the replica takes it from there", async () => {
    const { primary, replica, witness } = await twoServersAndWitness();
    for (let id = 0; id < 50; id += 1) await primary.query(`insert into kept values (${id})`);
    await primary.query("insert into kept select g from generate_series(50, 99999) g");
    expect(await valueOf(replica, "select count(*) from kept")).toBe("0");
    await loseMachine(primary);
    witness.detach();
    await replica.follow({ host: "127.0.0.1", port: witness.port, slot: undefined });
    const end = formatLsn(witness.view().position.lsn);
    await until(
      "it has all",
      async () => (await valueOf(replica, `select pg_last_wal_replay_lsn() >= '${end}'`)) === "t",
    );
    await replica.setQuorum(1, ["w1"]);
    expect(await replica.promote()).toBe(2);
    expect(await valueOf(replica, "select count(*) from kept")).toBe("100000");

    witness.follow(sourceOf(replica));
    await replica.query("insert into kept values (-1)");
    expect(witness.view()).toMatchObject({ streaming: true, stuck: false, position: { timeline: 2 } });
    expect(witness.view().fork).toBeGreaterThanOrEqual(parseLsn(end) ?? 0n);
  }, 60_000);

  test("knows after any death what it had acknowledged", async () => {
    const { primary, witness, folder } = await twoServersAndWitness();
    for (let round = 0; round < 5; round += 1) {
      await primary.query(`insert into kept select g from generate_series(1, ${round * 400 + 1}) g`);
      const acknowledged = await valueOf(
        primary,
        "select flush_lsn from pg_stat_replication where application_name = 'w1'",
      );
      const copy = join(await serverFolder(), "copy");
      // As it would find its files when it was killed now.
      Bun.spawnSync(["cp", "-r", folder, copy]);
      const other = await startWitness(primary, copy);
      expect(other.view().position.timeline).toBe(1);
      expect(other.view().position.lsn).toBeGreaterThanOrEqual(parseLsn(acknowledged ?? "") ?? -1n);
    }
    await witness.stop();
    const again = await startWitness(primary, folder);
    const slow = primary.query("insert into kept values (-1)");
    again.follow(sourceOf(primary, slotName("w1")));
    await slow;
    expect(again.view().position.lsn).toBeGreaterThanOrEqual(witness.view().position.lsn);
  }, 60_000);

  test("forgets old segments, and starts anew where the primary has thrown away what it lacks", async () => {
    const { primary, witness, folder } = await twoServersAndWitness();
    for (let round = 0; round < 8; round += 1)
      await primary.query("insert into kept values (0); select pg_switch_wal()");
    const { stdout } = Bun.spawnSync(["ls", join(folder, "pg_wal")]);
    expect(stdout.toString().trim().split("\n").length).toBeLessThanOrEqual(4);
    witness.detach();
    await primary.setQuorum(0, []);
    await primary.setSlots([]);
    for (let round = 0; round < 40; round += 1)
      await primary.query("insert into kept values (0); select pg_switch_wal()");
    await primary.query("checkpoint");
    witness.follow(sourceOf(primary));
    await eventually("it streams again", () => witness.view().streaming, 10_000);
    const before = witness.view().position.lsn;
    await primary.query("insert into kept values (0)");
    await eventually("it goes on", () => witness.view().position.lsn > before, 10_000);
  }, 60_000);

  test("with a new disk counts for nothing before it is where the primary was, also when it is restarted meanwhile", async () => {
    const { primary, witness, folder } = await twoServersAndWitness();
    await primary.query("insert into kept values (0)");
    expect(witness.view().isWhole).toBe(true);
    await witness.stop();
    await rm(folder, { recursive: true });
    const fresh = await startWitness(primary, folder);
    expect(fresh.view()).toMatchObject({ isWhole: false, position: { timeline: 0 } });
    fresh.follow(sourceOf(primary, slotName("w1")));
    const end = await valueOf(primary, "select pg_current_wal_flush_lsn()");
    await eventually("it has caught up", () => fresh.view().isWhole, 10_000);
    expect(fresh.view().position.lsn).toBeGreaterThanOrEqual(parseLsn(end ?? "") ?? -1n);
    await fresh.stop();
    // As if it had been killed before that.
    writeFileSync(join(folder, "missing"), "FF/0\n");
    const again = await startWitness(primary, folder);
    expect(again.view().isWhole).toBe(false);
    again.follow(sourceOf(primary, slotName("w1")));
    await eventually("it has caught up", () => again.view().isWhole, 10_000);
    expect(existsSync(join(folder, "missing"))).toBe(false);
  }, 60_000);

  test("of another cluster takes nothing and says so", async () => {
    const { primary, witness } = await twoServersAndWitness();
    await eventually("it streams", () => witness.view().streaming);
    const other = await emptyServer();
    await other.create();
    const { position } = witness.view();
    witness.follow(sourceOf(other));
    await eventually("it looked", () => witness.view().problem !== undefined);
    expect(witness.view()).toMatchObject({ stuck: true, streaming: false, position });
    expect(witness.view().problem).toContain("another cluster");
    witness.follow(sourceOf(primary, slotName("w1")));
    await primary.query("insert into kept values (0)");
    expect(witness.view()).toMatchObject({ stuck: false, streaming: true });
  }, 60_000);

  test.skipIf(process.getuid?.() !== 0)(
    "with a full disk acknowledges nothing, says why, and goes on when there is room (needs root)",
    async () => {
      const { primary, witness } = await twoServersAndWitness();
      await witness.stop();
      const folder = join(await serverFolder(), "small");
      Bun.spawnSync(["mkdir", folder]);
      Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder]);
      mounts.push(folder);
      const small = await startWitness(primary, folder);
      small.follow(sourceOf(primary, slotName("w1")));
      let isDone = false;
      const fill = "insert into kept select g from generate_series(1, 400000) g";
      const filled = primary.query(fill, [], 50_000).then(() => (isDone = true));
      await eventually("it says why", () => /ENOSPC|no space/i.test(small.view().problem ?? ""), 20_000);
      expect(isDone).toBe(false);
      Bun.spawnSync(["mount", "-o", "remount,size=400m", folder]);
      await filled;
      expect(small.view().problem).toBeUndefined();
    },
    60_000,
  );

  test("lets in who knows the password and replicates; garbage ends the connection", async () => {
    const { witness } = await twoServersAndWitness();
    await eventually("it has some log", () => witness.view().position.timeline === 1);
    const login = (user: string, password: string, replication: string) =>
      PgConnection.connect({
        host: "127.0.0.1",
        port: witness.port,
        user,
        password,
        parameters: { replication },
      });
    const refused = (attempt: Promise<unknown>): Promise<string> =>
      attempt.then(
        () => "let in",
        (problem: unknown) => String(problem),
      );
    const password = "re:pl\\ica'2";
    expect(await refused(login(REPLICATION_ROLE, "wrong", "true"))).toContain("password");
    expect(await refused(login("somebody", password, "true"))).toContain("password");
    expect(await refused(login(REPLICATION_ROLE, password, "false"))).toContain("no tables");
    const client = await login(REPLICATION_ROLE, password, "true");
    expect(await refused(client.query("SELECT 1"))).toContain("only streams its log");
    expect(await refused(client.query("START_REPLICATION 0/0 TIMELINE 1"))).toContain(
      "the log here goes from",
    );
    expect(await refused(client.query("START_REPLICATION 0/0 TIMELINE 7"))).toContain("timeline 1");
    client.close();
    const garbage = connect(witness.port, "127.0.0.1");
    let isClosed = false;
    garbage.on("close", () => (isClosed = true)).on("error", () => {});
    garbage.write(Buffer.alloc(20_000, 0x41));
    await eventually("it is closed", () => isClosed);
  }, 60_000);
});
