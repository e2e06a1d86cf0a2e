/**
 * Commit order: four processes read through the query cache while they write, with a real PostgreSQL and a real Redis; some kill
 * themselves between a commit and its news. Counts reads that were older than a commit which PostgreSQL had acknowledged before.
 * The same without the marks of tables being written shows that the experiment can fail.
 *
 *     bin/bun bench/query-cache-order.ts [--operations 100000] [--crashes 0.02] [--seed 1]
 */
import { Pool } from "pg";
import { startPostgres } from "../src/base/testing/postgres.ts";
import {
  type OrderReport,
  prepareOrder,
  runOrder,
  WORKERS,
} from "../src/cache/query/testing/commit-order.ts";
import { startRedis } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

const { operations, crashes, seed } = options({ operations: 100_000, crashes: 0.02, seed: 1 });

async function run(marks: boolean, crashShare: number, count: number): Promise<OrderReport> {
  const [server, redis] = await Promise.all([startPostgres(), startRedis()]);
  const pool = new Pool({ ...server.connection, max: 1 });
  await prepareOrder(pool);
  await pool.end();
  const task = { connection: server.connection, storeUrl: redis.url, seed, marks, crashes: crashShare };
  const report = await withFolder((folder) =>
    runOrder({ ...task, operations: Math.ceil(count / WORKERS) }, folder),
  );
  await Promise.all([server.stop(), redis.stop()]);
  const ways = `${marks ? "with" : "without"} marks${crashShare > 0 ? ", with crashes" : ""}`;
  console.log(`${ways}: ${JSON.stringify(report)}`);
  return report;
}

const marked = await run(true, 0, operations);
const crashed = await run(true, crashes, operations / 4);
const unmarked = await run(false, 0, operations / 4);
const unmarkedCrashed = await run(false, crashes, operations / 4);

conclude(
  "query-cache-order",
  [
    {
      claim: "no read is older than an acknowledged commit",
      figure: `${marked.stale} of ${marked.reads} reads (${marked.hits} hits) beside ${marked.writes} writes`,
      met: marked.stale === 0 && marked.hits > marked.reads / 10,
    },
    {
      claim: "nor when processes die between a commit and its news",
      figure: `${crashed.stale} of ${crashed.reads} reads, ${crashed.crashed} processes killed`,
      met: crashed.stale === 0 && crashed.crashed > 0,
    },
    {
      claim: "without marks some are, so the experiment can fail",
      figure: `${unmarked.stale} of ${unmarked.reads}, with crashes ${unmarkedCrashed.stale} of ${unmarkedCrashed.reads}`,
      met: unmarked.stale > 0 && unmarkedCrashed.stale > 0,
    },
  ],
  { marked, crashed, unmarked, unmarkedCrashed },
);
