/** Reads from a server what advice is made of: its catalog, its slow statements, who uses its indexes, its connections. */
import {
  type Catalog,
  FOREIGN_KEYS_QUERY,
  INDEXES_QUERY,
  readCatalog,
  TABLES_QUERY,
} from "../../advice/catalog.ts";
import type { ServerLimits } from "../../advice/connection-budget.ts";
import type { Usage } from "../../advice/existing-indexes.ts";
import { quoteName } from "../../advice/sql-text.ts";
import type { ControlClient } from "../server/control-client.ts";

/** One normalised statement of pg_stat_statements. */
export interface SlowStatement {
  readonly id: string;
  readonly text: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly meanMs: number;
  /** Of the time of all statements of the database, 0 to 1. */
  readonly share: number;
  /** Rows that it gave or changed, all calls together. */
  readonly rows: number;
}

/** Tables, columns, indexes, foreign keys. */
export async function fetchCatalog(client: ControlClient): Promise<Catalog> {
  const facts = async (sql: string): Promise<string[]> =>
    (await client.query(sql)).map((row) => row["fact"] ?? "{}");
  return readCatalog(await facts(TABLES_QUERY), await facts(INDEXES_QUERY), await facts(FOREIGN_KEYS_QUERY));
}

/** What to do when the server does not count statements. */
const NOT_LOADED =
  "the server does not count statements: set shared_preload_libraries = 'pg_stat_statements' and restart it";
const NOT_CREATED =
  "statements are counted, but not shown: create extension pg_stat_statements, as a superuser, in this database";

/** Longer texts are generated ones; as much is shown and parsed of them as of others. */
const TEXT_CHARS_MAX = 20_000;

/** The statements of the client's database that took most time together, or why they are not known. */
export async function fetchStatements(
  client: ControlClient,
  max: number,
): Promise<readonly SlowStatement[] | string> {
  const [extension] = await client.query(
    `select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_stat_statements'`,
  );
  const [loaded] = await client.query(
    "select count(*)::text as count from pg_settings where name = 'pg_stat_statements.max'",
  );
  if (loaded?.["count"] !== "1") return NOT_LOADED;
  if (extension === undefined) return NOT_CREATED;
  const rows = await client.query(
    `select queryid::text as id, min(query) as text, sum(calls)::text as calls, sum(total_exec_time)::text as total,
      (sum(total_exec_time) / nullif(sum(sum(total_exec_time)) over (), 0))::text as share, sum(rows)::text as rows
    from ${quoteName(extension["schema"] ?? "public")}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and length(query) <= ${TEXT_CHARS_MAX}
      and queryid is not null
    group by queryid order by sum(total_exec_time) desc limit ${max}`,
  );
  return rows.map((row) => {
    const [calls, totalMs] = [Number(row["calls"]), Number(row["total"])];
    return {
      id: row["id"] ?? "",
      text: row["text"] ?? "",
      calls,
      totalMs,
      meanMs: totalMs / Math.max(1, calls),
      share: Number(row["share"] ?? 0),
      rows: Number(row["rows"]),
    };
  });
}

/** How long indexes were watched and what replicas use, for advice on unused ones. `replicas`: connections to each, when all are known. */
export async function fetchUsage(client: ControlClient, replicas: readonly ControlClient[]): Promise<Usage> {
  const [counted] = await client.query(COUNTED);
  const [standbys] = await client.query("select count(*)::text as count from pg_stat_replication");
  const ages = [Number(counted?.["ms"] ?? 0)];
  const replicaScans: ReadonlyMap<string, number>[] = [];
  for (const replica of replicas) {
    const [age] = await replica.query(COUNTED);
    ages.push(Number(age?.["ms"] ?? 0));
    const rows = await replica.query(
      "select schemaname || '.' || indexrelname as name, idx_scan::text as scans from pg_stat_user_indexes where idx_scan > 0",
    );
    replicaScans.push(new Map(rows.map((row) => [row["name"] ?? "", Number(row["scans"])])));
  }
  const areAllKnown = replicas.length >= Number(standbys?.["count"] ?? 0);
  return { countedMs: Math.min(...ages), replicaScans: areAllKnown ? replicaScans : undefined };
}

/** Statistics that nobody reset are at least as old as the server's run: a crash empties them. */
const COUNTED = `select (extract(epoch from now() - greatest(coalesce(stats_reset, '-infinity'), pg_postmaster_start_time())) * 1000)::bigint::text as ms
  from pg_stat_database where datname = current_database()`;

/** Connections: how many there may be, who has them, what their memory may come to. */
export async function fetchLimits(client: ControlClient): Promise<ServerLimits> {
  const settings = await client.query(
    `select name, setting from pg_settings where name in ('max_connections', 'superuser_reserved_connections',
      'reserved_connections', 'work_mem', 'hash_mem_multiplier', 'shared_buffers')`,
  );
  const setting = (name: string): number =>
    Number(settings.find((row) => row["name"] === name)?.["setting"] ?? 0);
  const groups = await client.query(
    `select coalesce(nullif(application_name, ''), usename::text) as app, coalesce(state, 'unknown') as state, count(*)::text as count
    from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() group by 1, 2 order by count(*) desc limit 100`,
  );
  const roles = await client.query(
    `select rolname as name, rolconnlimit::text as cap from pg_roles where rolcanlogin and rolconnlimit >= 0`,
  );
  return {
    maxConnections: setting("max_connections"),
    superuserReserved: setting("superuser_reserved_connections"),
    reserved: setting("reserved_connections"),
    workMemBytes: setting("work_mem") * 1024 * Math.max(1, setting("hash_mem_multiplier")),
    sharedBufferBytes: setting("shared_buffers") * 8192,
    inUse: groups.map((row) => ({
      app: row["app"] ?? "",
      state: row["state"] ?? "",
      count: Number(row["count"]),
    })),
    roles: roles.map((row) => ({ name: row["name"] ?? "", limit: Number(row["cap"]) })),
  };
}
