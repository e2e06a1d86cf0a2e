import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { NO_POSTGRES } from "../database/testing/servers.ts";
import { failoverSettings } from "./database-failover.ts";
import { AcknowledgedWrites } from "./testing/acknowledged-writes.ts";
import { DatabaseCluster, until } from "./testing/database-cluster.ts";

// Each failover waits for a lease of 5 s to be over; a busy machine takes its time to start servers.
setDefaultTimeout(120_000);

/** With pg_rewind and pg_basebackup, which the package of npm lacks. */
const SYSTEM = "/usr/lib/postgresql/15/bin";

/** Writes before, while and after something is done to the cluster. */
async function under(cluster: DatabaseCluster, fault: () => unknown): Promise<AcknowledgedWrites> {
  const writes = new AcknowledgedWrites(cluster);
  await until("writes are acknowledged", () => writes.count > 50);
  await fault();
  const before = writes.count;
  await until("writes are acknowledged again", () => writes.count > before + 50);
  await writes.stop();
  return writes;
}

/** A replica replays what the primary has, a moment later. */
const hasAll = (writes: AcknowledgedWrites, replica: string): Promise<void> =>
  until(`${replica} has all`, async () => (await writes.missingAt(replica)).length === 0);

/** The primary and the servers beside it, once all is well. */
async function settled(cluster: DatabaseCluster): Promise<{ primary: string; replica: string }> {
  const primary = await cluster.untilWhole();
  return { primary, replica: cluster.names.find((name) => name !== primary) ?? "" };
}

describe.skipIf(NO_POSTGRES)("three servers in quorum mode (needs Postgres)", () => {
  const cluster = new DatabaseCluster({ mode: "quorum" });
  beforeAll(async () => {
    await cluster.start();
    await AcknowledgedWrites.prepare(cluster, await cluster.untilPrimary());
  });
  afterAll(() => cluster.stop());

  test("a primary that crashes is started by its agent within 2 s, under its own lease", async () => {
    const { primary } = await settled(cluster);
    const { term } = (await cluster.facts(primary))?.failover?.record ?? {};
    const writes = await under(cluster, () => cluster.signalServer(primary, "SIGKILL"));
    expect(writes.longestGapMs).toBeLessThan(4_000);
    expect(await settled(cluster)).toMatchObject({ primary });
    expect((await cluster.facts(primary))?.failover?.record?.term).toBe(term);
    expect(await writes.missingAt(primary)).toEqual([]);
  });

  test("a switchover loses nothing, and the old primary follows", async () => {
    const { primary, replica } = await settled(cluster);
    const writes = await under(cluster, async () =>
      expect((await cluster.client(primary).switchover(replica)).kind).toBe("done"),
    );
    expect(writes.longestGapMs).toBeLessThan(3_000); // bench/database-failover.ts measures it on a quiet machine
    expect(await settled(cluster)).toMatchObject({ primary: replica });
    await hasAll(writes, primary);
  });

  test("a primary that is lost with its agent is replaced within seconds, and rejoins when it is back", async () => {
    const { primary } = await settled(cluster);
    const writes = await under(cluster, () => cluster.killMachine(primary));
    expect(writes.longestGapMs).toBeLessThan(14_000); // 5.3 s on a quiet machine, by the same bench
    const next = await cluster.untilPrimary();
    expect(next).not.toBe(primary);
    expect(await writes.missingAt(next)).toEqual([]);
    expect((await cluster.facts(next))?.failover?.record?.loss).toEqual({ bytes: 0, exact: true });
    cluster.startAgent(primary);
    expect(await settled(cluster)).toMatchObject({ primary: next });
    await hasAll(writes, primary);
  });

  test("an agent that hangs loses its server to the guard before anybody else takes writes", async () => {
    const { primary } = await settled(cluster);
    const writes = await under(cluster, async () => {
      cluster.signalAgent(primary, "SIGSTOP");
      await until(
        "somebody else is primary",
        async () => ![undefined, primary].includes(await cluster.primary()),
      );
    });
    const servers = writes.acknowledged.map(({ server }) => server);
    expect(servers.lastIndexOf(primary)).toBeLessThan(servers.findIndex((server) => server !== primary));
    cluster.signalAgent(primary, "SIGCONT");
    const { primary: next } = await settled(cluster);
    expect(next).not.toBe(primary);
    expect(await writes.missingAt(next)).toEqual([]);
    await hasAll(writes, primary);
  });

  test("orders from elsewhere are refused, and a replica is made anew on request", async () => {
    const { primary, replica } = await settled(cluster);
    const stop = await cluster.client(primary).order({ kind: "stop", mode: "fast" });
    expect(stop).toMatchObject({ kind: "refused", reason: "failover-decides" });
    const source = { name: primary, host: "127.0.0.1", port: cluster.portOf(primary) };
    expect(await cluster.client(primary).order({ kind: "reclone", term: 0, source })).toMatchObject({
      kind: "refused",
      reason: "failover-decides",
    });
    const made = await cluster.client(replica).order({ kind: "reclone", term: 0, source });
    expect(made).toMatchObject({ kind: "done" });
    expect(await settled(cluster)).toMatchObject({ primary });
    expect(await cluster.client(primary).switchover("db9")).toEqual({
      kind: "refused",
      reason: "unknown-member",
    });
    expect(await cluster.client(replica).switchover(primary)).toEqual({
      kind: "refused",
      reason: "not-primary",
    });
  });

  test("a primary that is stopped in order gives its lease back", async () => {
    const { primary } = await settled(cluster);
    const writes = await under(cluster, () => cluster.signalAgent(primary, "SIGTERM"));
    expect(writes.longestGapMs).toBeLessThan(5_000); // the lease, which nobody waited for
    const next = await cluster.untilPrimary();
    expect(await writes.missingAt(next)).toEqual([]);
  });
});

describe.skipIf(!existsSync(SYSTEM))(
  "three servers that share no disk, in async mode (needs Postgres of the system)",
  () => {
    const cluster = new DatabaseCluster({
      mode: "async",
      sharesDisks: false,
      postgres: SYSTEM,
      lagBytesMax: 2 ** 30,
    });
    beforeAll(() => cluster.start());
    afterAll(() => cluster.stop());

    test("what a failover lost is told to the commit when the old primary is back", async () => {
      const primary = await cluster.untilWhole();
      const others = cluster.names.filter((name) => name !== primary);
      await AcknowledgedWrites.prepare(cluster, primary);
      await until("the table is everywhere", async () => {
        const rows = others.map((name) => cluster.query(name, "select to_regclass('beats') as it"));
        return (await Promise.all(rows)).every(([row]) => row?.["it"] === "beats");
      });
      for (const name of others) cluster.signalServer(name, "SIGSTOP"); // more is written than their sockets take
      const writes = new AcknowledgedWrites(cluster, { fillerBytes: 64 * 1024 });
      await until("much is written", () => writes.count > 400);
      cluster.killMachine(primary);
      for (const name of others) cluster.signalServer(name, "SIGCONT");
      const before = writes.count;
      await until("writes go on", () => writes.count > before + 20);
      await writes.stop();
      const next = await cluster.untilPrimary();
      const missing = await writes.missingAt(next);
      expect(missing.length).toBeGreaterThan(0);
      expect((await cluster.facts(next))?.failover?.record?.loss).toMatchObject({ exact: false });
      cluster.startAgent(primary);
      await cluster.untilWhole();
      const found = (await cluster.facts(primary))?.failover?.foundLoss;
      const inFlight = (found?.commits ?? 0) - missing.length; // written, and nobody was told
      expect([0, 1]).toContain(inFlight);
      expect(found?.bytes).toBeGreaterThan(missing.length * 100);
      expect(await writes.missingAt(primary)).toEqual(missing);
    });
  },
);

test("a lease's other times keep their proportions to it, and nonsense is refused", () => {
  const options = { cluster: "main", store: "file:/x" };
  expect(failoverSettings({ ...options, ttlMs: 10_000 })).toMatchObject({ renewMs: 2_000, marginMs: 3_000 });
  expect(failoverSettings({ ...options, mode: "quorum" }).durability).toMatchObject({
    count: 1,
    strict: true,
  });
});
