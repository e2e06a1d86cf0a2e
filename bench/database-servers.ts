/**
 * Postgres servers and their agents: how long until writes go on after a crash, a hand-over and the end of a lease, what a
 * drain recovers, how fast a copy is. Real servers, fsync on, one machine.
 *
 *     bin/bun bench/database-servers.ts [--rounds 5] [--rows 100000] [--mib 100]
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { createLog, systemClock, systemScheduler } from "../src/base/index.ts";
import { NO_PEERS, type Order, type OrderOutcome } from "../src/database/index.ts";
import { DatabaseAgent, findBinaries, findOwner, PostgresServer } from "../src/database/io/index.ts";
import { PgConnection } from "../src/pgwire/io/index.ts";
import { options } from "./harness/arguments.ts";
import { showSpread, spreadOf } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause, until } from "./harness/wait.ts";

const { rounds, rows, mib } = options({ rounds: 5, rows: 100_000, mib: 100 });
const PASSWORDS = { superuser: "bench", replication: "bench" };

/** Anything here is over in seconds. */
const RETRY_MS = 2;
/** Crashes that follow each other faster are waited for by the agent, ever longer. */
const STABLE_MS = 5_500;
const PATIENCE_MS = 20_000;

const owner = await findOwner();

async function agentIn(folder: string, name: string): Promise<DatabaseAgent> {
  const binaries = await findBinaries({ made: join(folder, "made"), owner });
  const server = new PostgresServer({
    name,
    folder: join(folder, name),
    binaries,
    owner,
    settings: {
      host: "127.0.0.1",
      port: freePort(),
      walLevel: "replica",
      archiveCommand: undefined,
      durable: true,
      settings: {},
    },
    peers: NO_PEERS,
    passwords: PASSWORDS,
    clock: systemClock,
    scheduler: systemScheduler,
    log: createLog({ write: () => {}, clock: systemClock, level: "error" }),
  });
  return new DatabaseAgent({ server, backups: undefined });
}

async function told(
  agent: DatabaseAgent,
  order: Order,
): Promise<Extract<OrderOutcome, { kind: "done" }>["detail"]> {
  const outcome = await agent.order(order);
  if (outcome.kind === "refused") throw new Error(`${order.kind}: ${outcome.message}`);
  return outcome.detail;
}

function sourceOf({ server }: DatabaseAgent): { name: string; host: string; port: number; data: string } {
  return { name: server.name, host: "127.0.0.1", port: server.options.settings.port, data: server.data };
}

function connect({ server }: DatabaseAgent): Promise<PgConnection> {
  return PgConnection.connect({
    host: "127.0.0.1",
    port: server.options.settings.port,
    user: "postgres",
    password: PASSWORDS.superuser,
  });
}

/** Runs one write after the other until it is stopped, at whichever of `targets` takes them; keeps when each was acknowledged. */
function writer(targets: readonly DatabaseAgent[]): {
  readonly acknowledgedMs: number[];
  stop(): Promise<number>;
} {
  const acknowledgedMs: number[] = [];
  const stop = new AbortController();
  const write = async (target: DatabaseAgent): Promise<void> => {
    const connection = await connect(target).catch(() => undefined);
    try {
      while (!stop.signal.aborted) {
        if (connection === undefined) return await pause(RETRY_MS);
        await connection.query(`insert into beats values (${acknowledgedMs.length})`, 2000);
        acknowledgedMs.push(performance.now());
      }
    } catch {
      await pause(RETRY_MS); // it is gone, or takes no writes: the next one
    } finally {
      connection?.close();
    }
  };
  const writeOn = async (): Promise<void> => {
    for (let at = 0; !stop.signal.aborted; at++) await write(targets[at % targets.length] as DatabaseAgent);
  };
  const running = writeOn();
  return {
    acknowledgedMs,
    async stop() {
      stop.abort();
      await running;
      return acknowledgedMs.length;
    },
  };
}

/** The longest time between two acknowledged writes. */
function longestGap(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
}

async function crashes(agent: DatabaseAgent): Promise<number[]> {
  const gaps: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const load = writer([agent]);
    await until("writes", PATIENCE_MS, async () => load.acknowledgedMs.length > 20);
    process.kill(agent.server.pid ?? 0, "SIGKILL");
    const before = load.acknowledgedMs.length;
    await pause(300);
    await until("writes again", PATIENCE_MS, async () => load.acknowledgedMs.length > before + 20);
    await load.stop();
    gaps.push(longestGap(load.acknowledgedMs));
    await pause(STABLE_MS);
  }
  return gaps;
}

/** Moves the primary to and fro under writes. */
async function handOvers(pair: [DatabaseAgent, DatabaseAgent]): Promise<{ gaps: number[]; lost: number }> {
  const gaps: number[] = [];
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    const [primary, replica] = pair;
    await told(primary, { kind: "slots", servers: [replica.server.name] });
    await until(
      "it streams",
      PATIENCE_MS,
      async () => (await primary.server.view()).replicas[0]?.state === "streaming",
    );
    await primary.server.query("truncate beats");
    const load = writer(pair);
    await until("writes", PATIENCE_MS, async () => load.acknowledgedMs.length > 50);
    const term = Math.max(primary.term, replica.term) + 1;
    await told(primary, { kind: "stop", mode: "fast" });
    await told(replica, { kind: "promote", term });
    const before = load.acknowledgedMs.length;
    await until("writes again", PATIENCE_MS, async () => load.acknowledgedMs.length > before + 50);
    await told(replica, { kind: "slots", servers: [primary.server.name] });
    await told(primary, { kind: "rejoin", term, source: sourceOf(replica) });
    const written = await load.stop();
    gaps.push(longestGap(load.acknowledgedMs));
    lost += written - Math.min(written, await countOf(replica, "beats"));
    pair.reverse();
  }
  return { gaps, lost };
}

async function countOf(agent: DatabaseAgent, table: string): Promise<number> {
  return Number((await agent.server.query(`select count(*) as n from ${table}`))[0]?.["n"]);
}

/** Rows that a primary had alone when it was frozen, taken from its disk. */
async function drains([primary, replica]: readonly [DatabaseAgent, DatabaseAgent]): Promise<{
  ms: number;
  bytes: number;
  lost: number;
}> {
  await primary.server.query("create table alone (id int, filler text)");
  await told(replica, {
    kind: "follow",
    term: replica.term,
    upstream: { host: "127.0.0.1", port: 1, slot: undefined },
  });
  await until("it is cut off", PATIENCE_MS, async () => (await replica.server.view()).receiver === null);
  await primary.server.query(
    `insert into alone select g, repeat('x', 50) from generate_series(1, ${rows}) g`,
  );
  await told(primary, { kind: "freeze" });
  const { bytes, tookMs } = await told(replica, { kind: "drain", data: primary.server.data });
  await told(replica, { kind: "promote", term: replica.term + 1 });
  return { ms: Number(tookMs), bytes: Number(bytes), lost: rows - (await countOf(replica, "alone")) };
}

/** How long after its lease's end a primary acknowledged its last write: below 0 is before. */
async function leaseEnds(agent: DatabaseAgent, isAgentDead: boolean): Promise<number> {
  const load = writer([agent]);
  await until("writes", PATIENCE_MS, async () => load.acknowledgedMs.length > 20);
  await told(agent, { kind: "lease", term: agent.term + 1, validMs: 700 });
  const endMs = performance.now() + 700;
  if (isAgentDead) agent.leave();
  await pause(1800);
  await load.stop();
  return (load.acknowledgedMs.at(-1) ?? 0) - endMs;
}

await withFolder(async (folder) => {
  chmodSync(folder, 0o755);
  const [first, second] = [await agentIn(folder, "db1"), await agentIn(folder, "db2")];
  await first.server.prepareFolder();
  await first.server.create();
  await first.start();
  await second.start();
  await first.server.query("create table beats (id int)");
  const crashMs = await crashes(first);
  await first.server.query(
    `create table filler as select repeat(md5(g::text), 32) from generate_series(1, ${mib * 1000}) g`,
  );
  const copy = await told(second, { kind: "reclone", term: 0, source: sourceOf(first) });
  const pair: [DatabaseAgent, DatabaseAgent] = [first, second];
  const { gaps, lost } = await handOvers(pair);
  const drain = await drains(pair);
  pair.reverse();
  const late = await leaseEnds(pair[0], false);
  await told(pair[0], { kind: "lease", term: pair[0].term + 1, validMs: 60_000 });
  await told(pair[0], { kind: "start" });
  await told(pair[0], { kind: "promote", term: pair[0].term });
  const guarded = await leaseEnds(pair[0], true);
  for (const agent of pair) await agent.stop();
  const figures = { crashMs, copy, handOverMs: gaps, lost, drain, late, guarded };
  const worst = (times: readonly number[]): number => Math.max(...times);
  conclude(
    "database-servers",
    [
      {
        claim: "writes go on within 2 s of a server's crash",
        figure: `${showSpread(spreadOf(crashMs), 0)} ms`,
        met: worst(crashMs) < 2000,
      },
      {
        claim: "a hand-over stops writes for less than 1 s",
        figure: `${showSpread(spreadOf(gaps), 0)} ms`,
        met: worst(gaps) < 1000,
      },
      { claim: "a hand-over loses no acknowledged write", figure: `${lost} lost`, met: lost === 0 },
      {
        claim: `a drain recovers ${rows} rows that a dead primary had alone`,
        figure: `${drain.lost} lost; ${drain.bytes} bytes in ${drain.ms} ms`,
        met: drain.lost === 0,
      },
      {
        claim: "no write is acknowledged 50 ms after a lease's end",
        figure: `last one at ${late.toFixed(0)} ms`,
        met: late < 50,
      },
      {
        claim: "nor 500 ms after it when the agent is dead",
        figure: `last one at ${guarded.toFixed(0)} ms`,
        met: guarded < 500,
      },
      {
        claim: `a copy of ${mib} MiB takes less than 10 s`,
        figure: `${copy["copiedBytes"]} bytes in ${copy["tookMs"]} ms, started`,
        met: Number(copy["tookMs"]) < 10_000,
      },
    ],
    figures,
  );
});
process.exit();
