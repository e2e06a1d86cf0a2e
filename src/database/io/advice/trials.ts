/** Tries an index on a throw-away clone: its statements without and with it, its size, what it adds to an INSERT. */
import type { Clock } from "../../../base/index.ts";
import type { Catalog } from "../../advice/catalog.ts";
import { createIndexSql, type IndexCandidate, indexName } from "../../advice/index-candidates.ts";
import { type Plan, parsePlan } from "../../advice/plan.ts";
import { quoteName, quoteTable } from "../../advice/sql-text.ts";
import type { IndexPrice, Trial, TriedIndex } from "../../advice/verdict.ts";
import type { ControlClient } from "../server/control-client.ts";
import { ServerError } from "../server/problem.ts";

/** A statement that can be run on a copy, with values in it. */
export interface Runnable {
  readonly id: string;
  readonly sql: string;
  /** Schemas of its tables: who ran it may have named them in a search_path that is not known here. */
  readonly schemas: readonly string[];
  /** It changes rows: taken back, its triggers left out, for those might tell others. */
  readonly changes: boolean;
}

/** One statement of one trial; one that takes longer is not tried. */
const STATEMENT_TIMEOUT_MS = 30_000;
const BUILD_TIMEOUT_MS = 600_000;

/** Postgres ends a statement first: then the connection stays. */
const PATIENCE_MS = BUILD_TIMEOUT_MS + 30_000;

/** The best of so many: the first fills the cache. */
const RUNS = 3;

/** Statements for one index: the first are those that take most time. */
const STATEMENTS_MAX = 5;

/** Rows that an INSERT is measured with. */
const INSERT_ROWS = 5000;

/** Tries one candidate and takes the index away again; "build-failed" with Postgres' message when it cannot be made. */
export async function tryIndex(
  client: ControlClient,
  candidate: IndexCandidate,
  runnable: readonly Runnable[],
  { indexes }: Catalog,
  clock: Clock,
): Promise<TriedIndex | { readonly failed: string }> {
  const mine = runnable.filter(({ id }) => candidate.statements.includes(id)).slice(0, STATEMENTS_MAX);
  const before = new Map<string, Plan>();
  for (const statement of mine) {
    const plan = await measure(client, statement);
    if (plan !== undefined) before.set(statement.id, plan);
  }
  const isTaken = indexes.some(
    ({ name, schema }) => name === indexName(candidate) && schema === candidate.table.schema,
  );
  if (isTaken) return { failed: `an index ${indexName(candidate)} is there, with other keys` };
  await client.query(`set statement_timeout = ${BUILD_TIMEOUT_MS}`);
  const began = clock.nowMs();
  try {
    await client.query(createIndexSql(candidate, false), [], PATIENCE_MS);
  } catch (problem) {
    if (problem instanceof ServerError && problem.code === "connection-lost") throw problem;
    return { failed: problem instanceof Error ? problem.message : String(problem) };
  }
  const buildMs = clock.nowMs() - began;
  await client.query(`analyze ${quoteTable(candidate.table)}`, [], PATIENCE_MS); // for keys that are expressions
  const trials: Trial[] = [];
  for (const statement of mine) {
    const [first, after] = [before.get(statement.id), await measure(client, statement)];
    if (first !== undefined && after !== undefined)
      trials.push({ statement: statement.id, before: first, after });
  }
  const name = quoteTable({ schema: candidate.table.schema, name: indexName(candidate) });
  const [size] = await client.query("select pg_relation_size($1::regclass)::text as bytes", [name]);
  await client.query(`drop index ${name}`);
  const price: IndexPrice = {
    bytes: Number(size?.["bytes"] ?? 0),
    buildMs,
    insertUs: await insertPrice(client, candidate).catch(() => undefined),
  };
  return { candidate, name: indexName(candidate), trials, price };
}

/** Runs a statement; undefined when it fails or takes too long. Whatever it did is taken back. */
async function measure(
  client: ControlClient,
  { sql, schemas, changes }: Runnable,
): Promise<Plan | undefined> {
  const plans: Plan[] = [];
  try {
    for (let run = 0; run < RUNS; run++) {
      await client.query(changes ? "begin" : "begin read only");
      await client.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      await client.query(`set local search_path = ${[...schemas.map(quoteName), "public"].join(", ")}`);
      if (changes) await client.query("set local session_replication_role = replica");
      const [row] = await client.query(`explain (analyze, buffers, format json) ${sql}`);
      await client.query("rollback");
      const plan = parsePlan(row?.["QUERY PLAN"] ?? "null");
      if (plan !== undefined) plans.push(plan);
    }
  } catch {
    await client.query("rollback");
    return undefined;
  }
  return plans.toSorted((a, b) => a.timeMs - b.timeMs)[0];
}

/** Microseconds a row, into an empty table with the same columns and indexes, without and with the new one. */
async function insertPrice(
  client: ControlClient,
  candidate: IndexCandidate,
): Promise<IndexPrice["insertUs"]> {
  const like = "pg_temp.tenfold_write_cost";
  const table = quoteTable(candidate.table);
  const names = await client.query(
    "select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
    [table],
  );
  const columns = names.map((row) => quoteName(row["name"] ?? "")).join(", ");
  await client.query(
    `create temp table tenfold_write_cost (like ${table} including indexes including generated)`,
  );
  try {
    const once = async (): Promise<number> => {
      const times: number[] = [];
      let rows = 1;
      for (let run = 0; run < RUNS; run++) {
        await client.query(`truncate ${like}`);
        const insert = `insert into ${like} (${columns}) select ${columns} from ${table} limit ${INSERT_ROWS}`;
        const [row] = await client.query(`explain (analyze, format json) ${insert}`);
        const [head] = JSON.parse(row?.["QUERY PLAN"] ?? "[]") as {
          "Execution Time"?: number;
          Plan?: { Plans?: { "Actual Rows"?: number }[] };
        }[];
        times.push(head?.["Execution Time"] ?? 0);
        rows = Math.max(1, head?.Plan?.Plans?.[0]?.["Actual Rows"] ?? 1);
      }
      return (1000 * Math.min(...times)) / rows;
    };
    const before = await once();
    await client.query(createIndexSql(candidate, false, like));
    return { before, after: await once() };
  } finally {
    await client.query(`drop table ${like}`);
  }
}
