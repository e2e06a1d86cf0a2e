/**
 * Failover of real servers, three with an agent each, all processes of their own: how long writes wait, and what is lost. A
 * client writes at whichever server takes it; each acknowledged row is looked for afterwards.
 *
 *     bin/bun bench/database-failover.ts [--rounds 3]
 */
import { existsSync } from "node:fs";
import { AcknowledgedWrites } from "../src/app/testing/acknowledged-writes.ts";
import { DatabaseCluster, until } from "../src/app/testing/database-cluster.ts";
import { options } from "./harness/arguments.ts";
import { showSpread, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds } = options({ rounds: 3 });

/** Has pg_rewind and pg_basebackup, which servers that share no disk need. */
const SYSTEM = "/usr/lib/postgresql/15/bin";

/** Written before and after each fault, rows. */
const WRITTEN = 100;

/** What one kind of fault came to, over all rounds. */
interface Outcome {
  readonly gapsMs: number[];
  acknowledged: number;
  lost: number;
}

async function settled(cluster: DatabaseCluster): Promise<{ primary: string; replica: string }> {
  const primary = await cluster.untilWhole();
  return { primary, replica: cluster.names.find((name) => name !== primary) ?? "" };
}

/** Does `fault` to the primary under writes, `rounds` times. */
async function measure(
  cluster: DatabaseCluster,
  fault: (primary: string, replica: string) => unknown,
  mend: (primary: string) => unknown = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { gapsMs: [], acknowledged: 0, lost: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const { primary, replica } = await settled(cluster);
    const writes = new AcknowledgedWrites(cluster);
    await until("writes", () => writes.count > WRITTEN);
    await fault(primary, replica);
    const before = writes.count;
    await until("writes again", () => writes.count > before + WRITTEN);
    await writes.stop();
    const now = await cluster.untilPrimary();
    outcome.gapsMs.push(writes.longestGapMs);
    outcome.acknowledged += writes.count;
    outcome.lost += (await writes.missingAt(now)).length;
    await mend(primary);
  }
  return outcome;
}

async function quorum(): Promise<Readonly<Record<"crash" | "switchover" | "kill" | "hang", Outcome>>> {
  const cluster = new DatabaseCluster({ mode: "quorum" });
  try {
    await cluster.start();
    await AcknowledgedWrites.prepare(cluster, await cluster.untilPrimary());
    return {
      crash: await measure(cluster, (primary) => cluster.signalServer(primary, "SIGKILL")),
      switchover: await measure(cluster, (primary, replica) => cluster.client(primary).switchover(replica)),
      kill: await measure(
        cluster,
        (primary) => cluster.killMachine(primary),
        (primary) => cluster.startAgent(primary),
      ),
      hang: await measure(
        cluster,
        async (primary) => {
          cluster.signalAgent(primary, "SIGSTOP");
          await until("another primary", async () => ![undefined, primary].includes(await cluster.primary()));
        },
        (primary) => cluster.signalAgent(primary, "SIGCONT"),
      ),
    };
  } finally {
    await cluster.stop();
  }
}

/** What an async failover loses, and what is told of it when the old primary is back. */
async function async(): Promise<
  { missing: number; commits: number | null; bytes: number | null } | undefined
> {
  if (!existsSync(SYSTEM)) return undefined;
  const cluster = new DatabaseCluster({ sharesDisks: false, postgres: SYSTEM, lagBytesMax: 2 ** 30 });
  try {
    await cluster.start();
    const { primary } = await settled(cluster);
    const others = cluster.names.filter((name) => name !== primary);
    await AcknowledgedWrites.prepare(cluster, primary);
    const hasTable = async (name: string): Promise<boolean> =>
      (await cluster.query(name, "select to_regclass('beats') as it"))[0]?.["it"] === "beats";
    await until("the table is everywhere", async () =>
      (await Promise.all(others.map(hasTable))).every(Boolean),
    );
    for (const name of others) cluster.signalServer(name, "SIGSTOP");
    const writes = new AcknowledgedWrites(cluster, { fillerBytes: 64 * 1024 });
    await until("more than sockets take", () => writes.count > 400);
    cluster.killMachine(primary);
    for (const name of others) cluster.signalServer(name, "SIGCONT");
    const before = writes.count;
    await until("writes go on", () => writes.count > before + 20);
    await writes.stop();
    const missing = (await writes.missingAt(await cluster.untilPrimary())).length;
    cluster.startAgent(primary);
    await settled(cluster);
    const found = (await cluster.facts(primary))?.failover?.foundLoss;
    return { missing, commits: found?.commits ?? null, bytes: found?.bytes ?? null };
  } finally {
    await cluster.stop();
  }
}

const { crash, switchover, kill, hang } = await quorum();
const loss = await async();
const worst = ({ gapsMs }: Outcome): number => Math.max(...gapsMs);
const shown = ({ gapsMs }: Outcome): string => `${showSpread(spreadOf(gapsMs), 0)} ms`;
const all = [crash, switchover, kill, hang];
const lost = all.reduce((sum, one) => sum + one.lost, 0);
const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
// One commit may have been on the disk before its client was told.
const isTold = loss !== undefined && [0, 1].includes((loss.commits ?? -1) - loss.missing);
conclude(
  "database-failover",
  [
    {
      claim: "a primary lost with its agent: writes go on within 7 s, at a lease of 5 s",
      figure: shown(kill),
      met: worst(kill) < 7_000,
    },
    { claim: "a crashed server: within 2 s, no failover", figure: shown(crash), met: worst(crash) < 2_000 },
    { claim: "a switchover: within 1 s", figure: shown(switchover), met: worst(switchover) < 1_000 },
    { claim: "an agent that hangs: within 7 s", figure: shown(hang), met: worst(hang) < 7_000 },
    {
      claim: "quorum mode loses no acknowledged write",
      figure: `${lost} of ${acknowledged} lost`,
      met: lost === 0,
    },
    ...(loss === undefined
      ? []
      : [
          {
            claim: "async mode, no shared disk: what is lost is told exactly",
            figure: `${loss.missing} acknowledged lost; told ${loss.commits} commits, ${loss.bytes} bytes`,
            met: isTold,
          },
        ]),
  ],
  { rounds, crash, switchover, kill, hang, loss },
);
process.exit();
