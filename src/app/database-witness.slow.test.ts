import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { AcknowledgedWrites } from "./testing/acknowledged-writes.ts";
import { DatabaseCluster, until, WITNESS } from "./testing/database-cluster.ts";

// Each failover waits for a lease of 5 s to be over; a busy machine takes its time to start servers.
setDefaultTimeout(120_000);

/** With pg_basebackup, which the package of npm lacks, and which servers that share no disk need. */
const SYSTEM = "/usr/lib/postgresql/15/bin";

/** Rows in a row that show that writes go on. */
const SOME = 50;

describe.skipIf(!existsSync(SYSTEM))(
  "two servers and a witness that share no disk (needs Postgres of the system)",
  () => {
    const cluster = new DatabaseCluster({
      servers: 2,
      witness: true,
      mode: "quorum",
      sharesDisks: false,
      postgres: SYSTEM,
    });
    beforeAll(async () => {
      await cluster.start();
      await AcknowledgedWrites.prepare(cluster, await cluster.untilPrimary());
    });
    afterAll(() => cluster.stop());

    async function settled(): Promise<{ primary: string; replica: string }> {
      const primary = await cluster.untilWhole();
      return { primary, replica: cluster.names.find((name) => name !== primary) ?? "" };
    }

    /** Writes that go on after each of `steps`. */
    async function through(...steps: readonly (() => unknown)[]): Promise<AcknowledgedWrites> {
      const writes = new AcknowledgedWrites(cluster);
      for (const step of [() => {}, ...steps]) {
        await step();
        const before = writes.count;
        await until("writes are acknowledged", () => writes.count > before + SOME);
      }
      await writes.stop();
      return writes;
    }

    test("the primary's machine is lost while the replica is behind: it takes all from the witness, and nothing acknowledged is lost", async () => {
      const { primary, replica } = await settled();
      cluster.signalServer(replica, "SIGSTOP");
      const writes = new AcknowledgedWrites(cluster, { fillerBytes: 64 * 1024 });
      await until("more is written than sockets take", () => writes.count > 400);
      cluster.killMachine(primary);
      cluster.signalServer(replica, "SIGCONT");
      const before = writes.count;
      await until("writes go on", () => writes.count > before + SOME);
      await writes.stop();
      expect(await cluster.untilPrimary()).toBe(replica);
      expect(await writes.missingAt(replica)).toEqual([]);
      expect(cluster.logOf(replica)).toContain('"order":"follow"');
      cluster.startAgent(primary);
      expect(await settled()).toMatchObject({ primary: replica });
      expect((await cluster.facts(WITNESS))?.witness).toMatchObject({
        upstream: replica,
        streaming: true,
        isWhole: true,
      });
    });

    test("without the replica writes go on, acknowledged by the witness, and the other way round", async () => {
      const { primary, replica } = await settled();
      const writes = await through(
        () => cluster.killMachine(replica),
        async () => {
          cluster.startAgent(replica);
          await settled();
          cluster.killMachine(WITNESS);
        },
        () => cluster.startAgent(WITNESS),
      );
      expect(await settled()).toEqual({ primary, replica });
      expect(await writes.missingAt(primary)).toEqual([]);
    });

    test("without both writes wait, until one is back", async () => {
      const { primary, replica } = await settled();
      const writes = await through(async () => {
        cluster.killMachine(replica);
        cluster.killMachine(WITNESS);
        const waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
        await until(
          "a commit waits",
          async () => (await cluster.query(primary, waiting))[0]?.["count"] === "1",
        );
        cluster.startAgent(WITNESS);
      });
      cluster.startAgent(replica);
      expect(await settled()).toEqual({ primary, replica });
      expect(await writes.missingAt(primary)).toEqual([]);
    });
  },
);
