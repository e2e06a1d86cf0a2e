/** Replication as a suite: clones, promotions, re-pointing, rewinds, drains, on real servers. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Binaries } from "../io/server/binaries.ts";
import { clone } from "../io/server/clone.ts";
import { drainFiles, drainStream, missingWal } from "../io/server/drain.ts";
import type { PostgresServer } from "../io/server/postgres-server.ts";
import { rejoin } from "../io/server/rejoin.ts";
import { reserveTimelines } from "../io/server/reserve-timelines.ts";
import type { ServerSource } from "../orders.ts";
import { slotName } from "../server-settings.ts";
import { positionOf } from "../server-view.ts";
import { emptyServer, startedPrimary, type TestServer, until, upstreamOf, valueOf } from "./servers.ts";

function sourceOf(server: PostgresServer): ServerSource {
  return { name: server.name, host: "127.0.0.1", port: server.options.settings.port, data: server.data };
}

/** A replica of `primary` that runs. */
async function startedReplica(primary: PostgresServer, wanted: TestServer = {}): Promise<PostgresServer> {
  const replica = await emptyServer({ binaries: primary.options.binaries, ...wanted });
  await clone(replica, sourceOf(primary));
  await replica.start();
  return replica;
}

async function caughtUp(replica: PostgresServer, primary: PostgresServer): Promise<void> {
  const { flushedLsn } = await primary.view();
  await until(
    "the replica has all",
    async () => (await valueOf(replica, `select pg_last_wal_replay_lsn() >= '${flushedLsn}'`)) === "t",
  );
}

/** Stops the replica's receiver for good: its primary is asked for nothing any more. */
async function cutOff(replica: PostgresServer): Promise<void> {
  await replica.follow({ host: "127.0.0.1", port: 1, slot: undefined });
  await until(
    "the receiver is gone",
    async () => (await valueOf(replica, "select count(*) from pg_stat_wal_receiver")) === "0",
  );
}

const FILL = "insert into kept select g, repeat('x', 50) from generate_series(1, 20000) g";

/** Rules of replication, for one installation of Postgres. */
export function replicationSuite(name: string, find: () => Promise<Binaries>): void {
  describe(`replication with ${name}`, () => {
    cloneRules(find);
    roleRules(find);
    doublePromotionRules(find);
    timelineRules(find);
    drainRules(find);
  });
}

function cloneRules(find: () => Promise<Binaries>): void {
  test("a clone has all rows and follows; its lag and slot are seen from both sides", async () => {
    const primary = await startedPrimary({ binaries: await find() });
    await primary.query("create table kept (id int, filler text)");
    await primary.query(FILL);
    const replica = await startedReplica(primary);
    await primary.query("insert into kept values (0, 'late')");
    await caughtUp(replica, primary);
    expect(await valueOf(replica, "select count(*) from kept")).toBe("20001");
    const [seen, own] = [await primary.view(), await replica.view()];
    expect(own).toMatchObject({ role: "replica", timeline: 1, systemIdentifier: seen.systemIdentifier });
    expect(own.receiver).toMatchObject({ host: "127.0.0.1", slot: slotName(replica.name) });
    expect(seen.replicas).toMatchObject([{ name: replica.name, state: "streaming", syncState: "async" }]);
    expect(seen.slots).toMatchObject([
      { name: slotName(replica.name), kind: "physical", active: true, status: "reserved" },
    ]);
    expect(readFileSync(join(replica.data, "tenfold.role.conf"), "utf8")).not.toContain("re:pl");
  });
}

function roleRules(find: () => Promise<Binaries>): void {
  test("a replica is promoted, another is re-pointed while it runs, and the old primary follows", async () => {
    const primary = await startedPrimary({ binaries: await find() });
    const [first, second] = [await startedReplica(primary), await startedReplica(primary)];
    await primary.query("create table kept (id int, filler text)");
    for (const replica of [first, second]) await caughtUp(replica, primary);
    await primary.fence();
    const startedMs = performance.now();
    expect(await first.promote()).toBe(2);
    const promotedMs = performance.now() - startedMs;
    await first.setSlots([second.name, primary.name]);
    await second.follow(upstreamOf(first, second));
    await first.query("insert into kept values (1, 'new')");
    await until("the row arrives", async () => (await valueOf(second, "select count(*) from kept")) === "1");
    expect((await second.view()).timeline).toBe(2);
    expect(promotedMs).toBeLessThan(3000);
    const { way } = await rejoin(primary, sourceOf(first));
    expect(way).toBe("followed");
    await until(
      "the old primary follows",
      async () => (await valueOf(primary, "select count(*) from kept")) === "1",
    );
    expect((await first.view()).replicas.length).toBe(2);
  });

  test("an old primary that went on alone is rewound or cloned, and has nothing of its own left", async () => {
    const primary = await startedPrimary({ binaries: await find() });
    await primary.query("create table kept (id int, filler text)");
    const replica = await startedReplica(primary);
    await cutOff(replica);
    await primary.query("insert into kept values (666, 'never replicated')");
    await primary.fence();
    await replica.promote();
    await replica.query("insert into kept values (1, 'new')");
    const { way, reason } = await rejoin(primary, sourceOf(replica));
    expect(way).toBe(existsSync(join(primary.options.binaries.bin, "pg_rewind")) ? "rewound" : "cloned");
    expect(reason).toContain("it went to");
    await caughtUp(primary, replica);
    expect(await valueOf(primary, "select string_agg(id::text, ',') from kept")).toBe("1");
    expect(await valueOf(primary, "select pg_is_in_recovery()")).toBe("t");
  });
}

/** Postgres itself lets the loser follow, and stall on the winner's log with stale answers. */
function doublePromotionRules(find: () => Promise<Binaries>): void {
  for (const furtherPromotion of [false, true]) {
    const when = furtherPromotion ? ", also after another promotion" : "";
    test(`of two servers promoted from one point, the loser becomes a copy of the winner${when}`, async () => {
      const primary = await startedPrimary({ binaries: await find() });
      await primary.query("create table kept (id int, filler text)");
      const [winner, loser] = [await startedReplica(primary), await startedReplica(primary)];
      for (const replica of [winner, loser]) await caughtUp(replica, primary);
      await primary.fence(0);
      expect([await winner.promote(), await loser.promote()]).toEqual([2, 2]);
      await loser.query("insert into kept values (666, 'of the loser')");
      await winner.query(FILL);
      if (furtherPromotion) {
        await winner.fence(0);
        await winner.start();
        await winner.promote();
      }
      await loser.fence(0);
      const { way, reason } = await rejoin(loser, sourceOf(winner));
      expect([way, reason]).toEqual([
        "cloned",
        "its timeline 2 is not the primary's: two servers were promoted",
      ]);
      await caughtUp(loser, winner);
      expect(await valueOf(loser, "select count(*) || ' ' || max(id) from kept")).toBe("20000 20000");
    });
  }
}

/** Postgres gives the next number that it knows of, to each of two servers that know of the same. */
function timelineRules(find: () => Promise<Binaries>): void {
  test("a promotion leaves out timelines that others may have begun, and one that never came about leaves nothing", async () => {
    const primary = await startedPrimary({ binaries: await find() });
    await primary.query("create table kept (id int, filler text)");
    const [winner, loser] = [await startedReplica(primary), await startedReplica(primary)];
    const third = await startedReplica(primary);
    for (const replica of [winner, loser, third]) await caughtUp(replica, primary);
    await primary.fence(0);
    expect(await loser.promote()).toBe(2);
    await loser.query("insert into kept values (666, 'of the loser')");
    await loser.fence(0);
    await reserveTimelines(winner.data, 6, winner.options.owner);
    await winner.fence(0); // on its way to a promotion
    await winner.start();
    expect(await winner.promote(4)).toBe(4);
    await winner.setSlots([third.name, loser.name]);
    await third.follow(upstreamOf(winner, third));
    await winner.query("insert into kept values (1, 'new')");
    await caughtUp(third, winner);
    await third.stop();
    await third.start();
    await winner.query("insert into kept values (2, 'newer')");
    await caughtUp(third, winner);
    expect(await valueOf(third, "select count(*) from kept")).toBe("2");
    const { reason } = await rejoin(loser, sourceOf(winner));
    expect(reason).toContain("timeline 2 is not in the history of timeline 4");
    await caughtUp(loser, winner);
    expect(await valueOf(loser, "select max(id) from kept")).toBe("2");
  });
}

function drainRules(find: () => Promise<Binaries>): void {
  for (const [way, drain] of [
    ["files", (replica: PostgresServer, dead: PostgresServer) => drainFiles(replica, dead.data)],
    ["stream", drainStream],
  ] as const) {
    test(`what a dead primary had alone is drained by its ${way}: no row is lost`, async () => {
      const primary = await startedPrimary({
        binaries: await find(),
        settings: { synchronous_commit: "on" },
      });
      await primary.query("create table kept (id int, filler text)");
      const replica = await startedReplica(primary);
      await cutOff(replica);
      const before = positionOf(await replica.view());
      for (let round = 0; round < 5; round++) await primary.query(FILL);
      await primary.fence(0);
      const missing = await missingWal(replica, primary.data);
      expect([missing.from, missing.commits]).toEqual([before, 5]);
      expect(await drain(replica, primary)).toEqual({ bytes: missing.bytes, commits: 5, end: missing.end });
      await replica.promote();
      expect(await valueOf(replica, "select count(*) from kept")).toBe("100000");
    });
  }
}
