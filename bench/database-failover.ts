/**
 * Failover as users see it: three servers with an agent each and a router in front of them, all processes of their own, and
 * clients that write through the router at a steady rate. How long writes wait, what clients are told, what is lost: each
 * acknowledged row is looked for afterwards. A replica is killed under reads, too.
 *
 *     bin/bun bench/database-failover.ts [--rounds 3] [--rate 500] [--clients 10]
 */
import { existsSync } from "node:fs";
import { AcknowledgedWrites } from "../src/app/testing/acknowledged-writes.ts";
import { DatabaseCluster, until } from "../src/app/testing/database-cluster.ts";
import { PgConnection, type PgConnectionOptions } from "../src/pgwire/io/index.ts";
import { options } from "./harness/arguments.ts";
import { showSpread, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";
import { SteadyClients } from "./harness/steady-clients.ts";
import { pause } from "./harness/wait.ts";

const { rounds, rate, clients } = options({ rounds: 3, rate: 500, clients: 10 });

/** Has pg_rewind and pg_basebackup, which servers that share no disk need. */
const SYSTEM = "/usr/lib/postgresql/15/bin";

/** Load before each fault and after it. */
const STEADY_MS = 1_000;

/** Reads a second while a replica is killed, and for how long after that. */
const READ_RATE = 500;
const READ_MS = 5_000;

/** What one kind of fault came to, over all rounds. */
interface Outcome {
  readonly gapsMs: number[];
  readonly ratesPerSecond: number[];
  /** SQLSTATE -> how often clients were told. */
  readonly errors: Record<string, number>;
  acknowledged: number;
  lost: number;
}

type Fault = (primary: string, replica: string) => unknown;

/** A cluster, and how clients log in at its router. */
interface Site {
  readonly cluster: DatabaseCluster;
  readonly login: PgConnectionOptions;
}

async function settled(cluster: DatabaseCluster): Promise<{ primary: string; replica: string }> {
  const primary = await cluster.untilWhole();
  return { primary, replica: cluster.names.find((name) => name !== primary) ?? "" };
}

/** Does `fault` to the primary under writes, `rounds` times. */
async function measure(
  { cluster, login }: Site,
  fault: Fault,
  mend: (primary: string) => unknown = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { gapsMs: [], ratesPerSecond: [], errors: {}, acknowledged: 0, lost: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const { primary, replica } = await settled(cluster);
    const writes = new SteadyClients({
      login,
      rate,
      clients,
      statement: (id) => `insert into writes (id) values (${id})`,
    });
    await until("writes", () => writes.count > 0);
    await pause(STEADY_MS);
    await fault(primary, replica);
    const before = writes.count;
    await until("writes again", () => writes.count > before + clients);
    await pause(STEADY_MS);
    await writes.stop();
    outcome.gapsMs.push(writes.longestPauseMs);
    outcome.ratesPerSecond.push(writes.rate);
    outcome.acknowledged += writes.count;
    for (const [code, times] of writes.errors) outcome.errors[code] = (outcome.errors[code] ?? 0) + times;
    outcome.lost += await countMissing(cluster, writes.done);
    await mend(primary);
  }
  return outcome;
}

async function answers(login: PgConnectionOptions): Promise<boolean> {
  try {
    const connection = await PgConnection.connect(login);
    await connection.rows("select count(*) from writes").finally(() => connection.close());
    return true;
  } catch {
    return false; // it has just been started
  }
}

async function countMissing(cluster: DatabaseCluster, acknowledged: readonly number[]): Promise<number> {
  const rows = await cluster.query(await cluster.untilPrimary(), "select id from writes");
  const there = new Set(rows.map(({ id }) => Number(id)));
  return acknowledged.filter((id) => !there.has(id)).length;
}

/** Reads while a replica is killed with its agent; it must have served some of them until then. */
async function replicaKilled({ cluster, login }: Site): Promise<{
  readonly reads: number;
  readonly onReplica: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly longestPauseMs: number;
}> {
  const { replica } = await settled(cluster);
  const before = await scansOn(cluster, replica);
  const reads = new SteadyClients({
    login,
    rate: READ_RATE,
    clients,
    statement: () => "select count(*) from writes",
  });
  await until("the replica is read", async () => (await scansOn(cluster, replica)) > before);
  await pause(STEADY_MS);
  const onReplica = (await scansOn(cluster, replica)) - before;
  cluster.killMachine(replica);
  await pause(READ_MS);
  await reads.stop();
  cluster.startAgent(replica);
  const errors = Object.fromEntries(reads.errors);
  return { reads: reads.count, onReplica, errors, longestPauseMs: reads.longestPauseMs };
}

/** How often the table was read on a server, by its statistics. */
async function scansOn(cluster: DatabaseCluster, server: string): Promise<number> {
  const [row] = await cluster.query(
    server,
    "select seq_scan + idx_scan as scans from pg_stat_user_tables where relname = 'writes'",
  );
  return Number(row?.["scans"] ?? 0);
}

type Quorum = Readonly<Record<"crash" | "switchover" | "kill" | "hang", Outcome>> & {
  readonly replica: Awaited<ReturnType<typeof replicaKilled>>;
};

async function quorum(): Promise<Quorum> {
  const cluster = new DatabaseCluster({ mode: "quorum" });
  try {
    await cluster.start();
    const site = { cluster, login: cluster.startRouter() };
    await cluster.query(await cluster.untilPrimary(), "create table writes (id bigint primary key)");
    await until("the router answers", () => answers(site.login));
    return {
      crash: await measure(site, (primary) => cluster.signalServer(primary, "SIGKILL")),
      switchover: await measure(site, (primary, replica) => cluster.client(primary).switchover(replica)),
      kill: await measure(
        site,
        (primary) => cluster.killMachine(primary),
        (primary) => cluster.startAgent(primary),
      ),
      hang: await measure(
        site,
        async (primary) => {
          cluster.signalAgent(primary, "SIGSTOP");
          await until("another primary", async () => ![undefined, primary].includes(await cluster.primary()));
        },
        (primary) => cluster.signalAgent(primary, "SIGCONT"),
      ),
      replica: await replicaKilled(site),
    };
  } finally {
    await cluster.stop();
  }
}

/** What an async failover loses, and what is told of it when the old primary is back. Clients go to the servers themselves. */
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

const { crash, switchover, kill, hang, replica } = await quorum();
const loss = await async();
const worst = ({ gapsMs }: Outcome): number => Math.max(...gapsMs);
const told = (errors: Readonly<Record<string, number>>): string => {
  const kinds = Object.entries(errors).map(([code, times]) => `${times} times ${code}`);
  return kinds.length === 0 ? "no error" : kinds.join(", ");
};
const shown = ({ gapsMs, errors }: Outcome): string =>
  `${showSpread(spreadOf(gapsMs), 0)} ms; ${told(errors)}`;
const isClean = ({ errors }: Outcome): boolean => Object.keys(errors).length === 0;
const all = [crash, switchover, kill, hang];
const lost = all.reduce((sum, one) => sum + one.lost, 0);
const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
// One commit may have been on the disk before its client was told.
const isTold = loss !== undefined && [0, 1].includes((loss.commits ?? -1) - loss.missing);
const rates = showSpread(spreadOf(all.flatMap(({ ratesPerSecond }) => ratesPerSecond)), 0);
conclude(
  "database-failover",
  [
    {
      claim:
        "a primary killed with its agent, clients at a router: writes go on within 7 s, at a lease of 5 s, and no client sees an error",
      figure: shown(kill),
      met: worst(kill) < 7_000 && isClean(kill),
    },
    {
      claim: "a crashed server: within 2 s, no failover",
      figure: shown(crash),
      met: worst(crash) < 2_000,
    },
    {
      claim: "a switchover: within 1 s, no client sees an error",
      figure: shown(switchover),
      met: worst(switchover) < 1_000 && isClean(switchover),
    },
    { claim: "an agent that hangs: within 7 s", figure: shown(hang), met: worst(hang) < 7_000 },
    {
      claim: `quorum mode loses no acknowledged write, at ${rate} writes a second of ${clients} clients`,
      figure: `${lost} of ${acknowledged} lost; ${rates} writes a second, pauses among them`,
      met: lost === 0,
    },
    {
      claim: "a replica killed under reads: no read fails",
      figure: `${told(replica.errors)} in ${replica.reads} reads, ${replica.onReplica} of them on that replica before; longest pause ${replica.longestPauseMs.toFixed(0)} ms`,
      met: Object.keys(replica.errors).length === 0,
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
  { rounds, rate, clients, crash, switchover, kill, hang, replica, loss },
);
process.exit();
