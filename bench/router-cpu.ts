/**
 * What one routed query costs: CPU, throughput and latency of our router beside PgBouncer, before the same PostgreSQL.
 *
 * Ours runs twice: alone, and as the databases of a config do, where it follows a lease and asks at each statement and each answer whether
 * its server is still the primary. All proxies run at once on core 0, idle but for their turn; PostgreSQL and pgbench share core 1. Every
 * round gives each proxy one turn, in alternating order. CPU is what the kernel charged to the proxy over the turn, divided by pgbench's
 * transactions (one SELECT by primary key each). PostgreSQL and pgbench fill their core long before a proxy fills its own, so
 * throughput and p99 say what a client sees, and CPU what the proxy costs.
 *
 * All pool by transaction, 20 server connections. Debian's PgBouncer 1.18 knows no prepared statements in that mode: against
 * `prepared` it runs in session mode, with a server connection for each client, which is less work than ours.
 *
 *     bin/bun bench/router-cpu.ts [--rounds 8] [--seconds 2] [--clients 16,64] [--modes simple,extended,prepared] [--scale 10]
 */
import { join } from "node:path";
import { hasDebianPostgres, startPostgres } from "../src/base/testing/postgres.ts";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { holdLease } from "./harness/lease.ts";
import { pgbench, pgbenchTables, type QueryMode } from "./harness/pgbench.ts";
import { type Pooler, type PoolerPlace, startPgBouncer, startRouterProcess } from "./harness/poolers.ts";
import { cpuOf } from "./harness/proc.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { countSyscalls } from "./harness/syscalls.ts";
import { pause } from "./harness/wait.ts";

/** One turn of one proxy. */
interface Turn {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const PROXY_CORE = 0;
const LOAD_CORE = 1;

/** Work that a proxy puts off is still charged to its turn when done within this. */
const SETTLE_MS = 200;

/** Long enough for a just-in-time compiler to settle. */
const WARM_UP_SECONDS = 4;
const TRACE_SECONDS = 2;

const POOL_SIZE = 20;
const SESSION_POOL_SIZE = 100;

const { rounds, seconds, clients, modes, scale } = options({
  rounds: 8,
  seconds: 2,
  clients: "16,64",
  modes: "simple,extended,prepared",
  scale: 10,
});

if (!hasDebianPostgres || Bun.which("pgbouncer") === null || Bun.which("pgbench") === null) {
  console.log("needs Debian's postgresql-15, postgresql-contrib and pgbouncer");
  process.exit(0);
}

await withFolder(async (folder) => {
  const server = await startPostgres({
    engine: "debian",
    settings: "max_connections = 200",
    prefix: ["taskset", "-c", String(LOAD_CORE)],
  });
  try {
    await pgbenchTables(server.port, scale);
    const place: PoolerPlace = { folder, server: server.port, core: PROXY_CORE };
    const lease = await holdLease(join(folder, "lease"));
    const pool = { mode: "transaction", size: POOL_SIZE } as const;
    const ours = await startRouterProcess(place, pool);
    const gated = await startRouterProcess(place, pool, lease.url);
    const user = "postgres";
    const byTransaction = await startPgBouncer(place, { ...pool, user });
    const bySession = await startPgBouncer(place, { mode: "session", size: SESSION_POOL_SIZE, user });
    const verdicts: Verdict[] = [];
    const figures: Record<string, unknown> = {};
    for (const mode of modes.split(",") as QueryMode[]) {
      const peer = mode === "prepared" ? bySession : byTransaction;
      const contestants = [ours, gated, peer] as const;
      for (const proxy of contestants)
        await pgbench({ port: proxy.port, mode, clients: 16, seconds: WARM_UP_SECONDS, core: LOAD_CORE });
      for (const count of clients.split(",").map(Number)) {
        const turns = await race(contestants, mode, count);
        const [our, byLease, their] = turns;
        console.log(`\n${mode}, ${count} clients, ${rounds} rounds of ${seconds} s, median of the rounds`);
        console.log(showTable(tableOf(contestants, turns)));
        verdicts.push(...verdictsOf(`${mode}, ${count} clients`, our, their));
        verdicts.push(...verdictsOf(`${mode}, ${count} clients, by the lease`, byLease, their));
        figures[`${mode} ${count}`] = { tenfold: our, byLease, pgbouncer: their };
      }
      figures[`${mode} syscalls`] = await trace([ours, peer], mode);
    }
    lease.giveUp();
    console.log("");
    conclude("router-cpu", verdicts, figures);
  } finally {
    await server.stop();
  }
});

async function race(
  contestants: readonly [Pooler, Pooler, Pooler],
  mode: QueryMode,
  count: number,
): Promise<[Turn[], Turn[], Turn[]]> {
  const turns: [Turn[], Turn[], Turn[]] = [[], [], []];
  for (let round = 0; round < rounds; round++)
    for (const place of round % 2 === 0 ? ([0, 1, 2] as const) : ([2, 1, 0] as const))
      turns[place].push(await takeTurn(contestants[place], mode, count));
  return turns;
}

async function takeTurn({ port, process: proxy }: Pooler, mode: QueryMode, count: number): Promise<Turn> {
  const before = cpuOf(proxy.pid);
  const report = await pgbench({ port, mode, clients: count, seconds, core: LOAD_CORE });
  await pause(SETTLE_MS);
  const after = cpuOf(proxy.pid);
  const userUs = ((after.userMs - before.userMs) * 1000) / report.transactions;
  const systemUs = ((after.systemMs - before.systemMs) * 1000) / report.transactions;
  const { perSecond, p50Us, p99Us } = report;
  return { cpuUs: userUs + systemUs, userUs, systemUs, perSecond, p50Us, p99Us };
}

function tableOf(contestants: readonly Pooler[], turns: readonly Turn[][]): string[][] {
  const rows = [["proxy", "CPU us/query", "user", "system", "queries/s", "p50 ms", "p99 ms"]];
  for (const [at, { name }] of contestants.entries()) {
    const of = turns[at] ?? [];
    const median = (pick: (turn: Turn) => number): number => spreadOf(of.map(pick)).median;
    rows.push([
      name,
      showSpread(spreadOf(of.map((turn) => turn.cpuUs)), 1),
      median((turn) => turn.userUs).toFixed(1),
      median((turn) => turn.systemUs).toFixed(1),
      median((turn) => turn.perSecond).toFixed(0),
      (median((turn) => turn.p50Us) / 1000).toFixed(2),
      (median((turn) => turn.p99Us) / 1000).toFixed(2),
    ]);
  }
  return rows;
}

/** CPU at most 1.0x PgBouncer's, p99 at most 1.2x. */
function verdictsOf(what: string, ours: readonly Turn[], theirs: readonly Turn[]): Verdict[] {
  const cpu = ratioOf(
    ours.map((turn) => turn.cpuUs),
    theirs.map((turn) => turn.cpuUs),
  );
  const p99 = ratioOf(
    ours.map((turn) => turn.p99Us),
    theirs.map((turn) => turn.p99Us),
  );
  return [
    {
      claim: `${what}, CPU per query at most 1.0x`,
      figure: `${showSpread(cpu)}x pgbouncer`,
      met: cpu.median <= 1,
    },
    { claim: `${what}, p99 at most 1.2x`, figure: `${showSpread(p99)}x pgbouncer`, met: p99.median <= 1.2 },
  ];
}

async function trace(contestants: readonly Pooler[], mode: QueryMode): Promise<Record<string, unknown>> {
  const counts: Record<string, unknown> = {};
  for (const { name, port, process: proxy } of contestants) {
    const load = { port, mode, clients: 16, seconds: TRACE_SECONDS, core: LOAD_CORE };
    const calls = await countSyscalls(proxy.pid, async () => (await pgbench(load)).transactions);
    counts[name] = calls;
    const parts = Object.entries(calls.byName).map(([call, count]) => `${call} ${count.toFixed(2)}`);
    console.log(`system calls per query, ${mode}, ${name}: ${calls.total.toFixed(2)} = ${parts.join(" + ")}`);
  }
  return counts;
}
