/**
 * Two servers with data and a witness, all processes of their own, no disk shared: how long writes wait when the primary is lost while its
 * replica is behind, how much that takes from the witness first, and what is lost. And how long writes wait when replica or witness go.
 *
 *     bin/bun bench/database-witness.ts [--rounds 2]
 */
import { existsSync } from "node:fs";
import { AcknowledgedWrites } from "../src/app/testing/acknowledged-writes.ts";
import { DatabaseCluster, until, WITNESS } from "../src/app/testing/database-cluster.ts";
import { options } from "./harness/arguments.ts";
import { showSpread, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds } = options({ rounds: 2 });

/** Has pg_basebackup, which servers that share no disk need. */
const SYSTEM = "/usr/lib/postgresql/15/bin";

/** Written before and after each fault, rows. */
const WRITTEN = 100;

/** More than sockets take, so that the replica that is stopped lacks some. */
const LARGE = { fillerBytes: 64 * 1024 };
const LARGE_ROWS = 400;

interface Outcome {
  readonly gapsMs: number[];
  acknowledged: number;
  lost: number;
}

/** Does `fault` under writes, `rounds` times; `mend` brings all back. */
async function measure(
  cluster: DatabaseCluster,
  filler: { readonly fillerBytes: number },
  fault: (primary: string, replica: string, writes: AcknowledgedWrites) => unknown,
  mend: (primary: string, replica: string) => unknown,
): Promise<Outcome> {
  const outcome: Outcome = { gapsMs: [], acknowledged: 0, lost: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const primary = await cluster.untilWhole();
    const replica = cluster.names.find((name) => name !== primary) ?? "";
    const writes = new AcknowledgedWrites(cluster, filler);
    await until("writes", () => writes.count > WRITTEN);
    await fault(primary, replica, writes);
    const before = writes.count;
    await until("writes again", () => writes.count > before + WRITTEN);
    await writes.stop();
    outcome.gapsMs.push(writes.longestGapMs);
    outcome.acknowledged += writes.count;
    outcome.lost += (await writes.missingAt(await cluster.untilPrimary())).length;
    await mend(primary, replica);
  }
  return outcome;
}

async function run(): Promise<Readonly<Record<"primary" | "replica" | "witness", Outcome>>> {
  const cluster = new DatabaseCluster({
    servers: 2,
    witness: true,
    mode: "quorum",
    sharesDisks: false,
    postgres: SYSTEM,
  });
  const small = { fillerBytes: 100 };
  try {
    await cluster.start();
    await AcknowledgedWrites.prepare(cluster, await cluster.untilPrimary());
    return {
      primary: await measure(
        cluster,
        LARGE,
        async (primary, replica, writes) => {
          cluster.signalServer(replica, "SIGSTOP");
          const before = writes.count;
          await until("the replica is behind", () => writes.count > before + LARGE_ROWS);
          cluster.killMachine(primary);
          cluster.signalServer(replica, "SIGCONT");
        },
        (primary) => cluster.startAgent(primary),
      ),
      replica: await measure(
        cluster,
        small,
        (_, replica) => cluster.killMachine(replica),
        (_, replica) => cluster.startAgent(replica),
      ),
      witness: await measure(
        cluster,
        small,
        () => cluster.killMachine(WITNESS),
        () => cluster.startAgent(WITNESS),
      ),
    };
  } finally {
    await cluster.stop();
  }
}

if (!existsSync(SYSTEM)) throw new Error(`this bench needs ${SYSTEM}: apt install postgresql-15`);
const { primary, replica, witness } = await run();
const shown = ({ gapsMs }: Outcome): string => `${showSpread(spreadOf(gapsMs), 0)} ms`;
const worst = ({ gapsMs }: Outcome): number => Math.max(...gapsMs);
const all = [primary, replica, witness];
const lost = all.reduce((sum, one) => sum + one.lost, 0);
const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
conclude(
  "database-witness",
  [
    {
      claim: "the primary lost while the replica is behind: writes go on within 8 s, at a lease of 5 s",
      figure: shown(primary),
      met: worst(primary) < 8_000,
    },
    { claim: "the replica lost: within 1 s", figure: shown(replica), met: worst(replica) < 1_000 },
    { claim: "the witness lost: within 1 s", figure: shown(witness), met: worst(witness) < 1_000 },
    {
      claim: "no acknowledged write is lost",
      figure: `${lost} of ${acknowledged} lost`,
      met: lost === 0,
    },
  ],
  { rounds, primary, replica, witness },
);
process.exit();
