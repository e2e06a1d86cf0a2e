/**
 * Public suites for PostgreSQL clients and servers, on several ways to the same server: directly, through the router, through
 * PgBouncer, each of these in session and in transaction mode, and through the router with server connections that are used once. Each
 * way has a fresh server.
 *
 * The suites are not part of this repository: give the folder of a checkout (README.md says which and how prepared).
 *
 *     bin/bun conformance/postgres/run.ts --suite NAME --checkout FOLDER
 *         [--ways direct,tenfold-session,…] [--only PART-OF-NAME]
 *
 * Prints how many tests pass on each way, and each that passes directly but not through a pooler, with what it says.
 */

import { options } from "../../bench/harness/arguments.ts";
import { showTable } from "../../bench/harness/figures.ts";
import { startPgBouncer, startRouterProcess } from "../../bench/harness/poolers.ts";
import { stopAll, withFolder } from "../../bench/harness/process.ts";
import { hasDebianPostgres, startPostgres } from "../../src/base/testing/postgres.ts";
import { dbdpg } from "./dbdpg.ts";
import { libPq, pgx } from "./go.ts";
import { nodePostgres } from "./node-postgres.ts";
import type { Outcome, Suite } from "./outcome.ts";
import { pgjdbc } from "./pgjdbc.ts";
import { postgresJs } from "./postgres-js.ts";
import { asyncpg, pg8000, psycopg, psycopg2 } from "./pytest.ts";
import { regress } from "./regress.ts";
import { rubyPg } from "./ruby-pg.ts";

const SUITES: Readonly<Record<string, Suite>> = {
  "node-postgres": nodePostgres,
  "postgres.js": postgresJs,
  regress,
  psycopg2,
  psycopg,
  asyncpg,
  pg8000,
  dbdpg,
  "ruby-pg": rubyPg,
  "lib-pq": libPq,
  pgjdbc,
  pgx,
};

interface PooledWay {
  readonly pooler: "tenfold" | "pgbouncer";
  readonly mode: "session" | "transaction";
  /** Each server connection serves one client alone. */
  readonly isOnce?: boolean;
}

/** How to get to the server; "direct" has no pooler. */
const WAYS: Readonly<Record<string, PooledWay | undefined>> = {
  direct: undefined,
  "tenfold-session": { pooler: "tenfold", mode: "session" },
  "tenfold-session-once": { pooler: "tenfold", mode: "session", isOnce: true },
  "tenfold-transaction": { pooler: "tenfold", mode: "transaction" },
  "pgbouncer-session": { pooler: "pgbouncer", mode: "session" },
  "pgbouncer-transaction": { pooler: "pgbouncer", mode: "transaction" },
};

/** Tests open up to 25 connections at once. */
const POOL_SIZE = 40;

const SERVER_SETTINGS = "max_connections = 100\n";

const chosen = options({ suite: "", checkout: "", ways: Object.keys(WAYS).join(","), only: "" });
const suite = SUITES[chosen.suite];
if (suite === undefined || chosen.checkout === "") {
  console.log(`skipped: give --suite ${Object.keys(SUITES).join("|")} and --checkout FOLDER`);
  process.exit(0);
}
if (!hasDebianPostgres || Bun.which("pgbouncer") === null) {
  console.log("skipped: needs Debian's postgresql-15 and pgbouncer");
  process.exit(0);
}

const results = new Map<string, Outcome[]>();
for (const way of chosen.ways.split(",")) {
  if (!(way in WAYS))
    throw new Error(`--ways: there is no "${way}"; there are ${Object.keys(WAYS).join(", ")}`);
  // oxlint-disable-next-line no-await-in-loop -- one after the other, on an idle machine
  results.set(way, await runOn(suite, way));
}
report(results);

function runOn(tests: Suite, name: string): Promise<Outcome[]> {
  return withFolder(async (folder) => {
    const server = await startPostgres({ engine: "debian", settings: SERVER_SETTINGS + tests.settings });
    try {
      const place = { folder, server: server.port };
      const { pooler, mode, isOnce } = WAYS[name] ?? { pooler: "none", mode: "session" };
      const once = isOnce === true ? { serverLifetimeMs: 0 } : {};
      let { port } = server;
      if (pooler === "tenfold")
        ({ port } = await startRouterProcess(place, { mode, size: POOL_SIZE, ...once }));
      if (pooler === "pgbouncer")
        ({ port } = await startPgBouncer(place, { mode, size: POOL_SIZE, users: tests.users }));
      return await tests.run(chosen.checkout, { name, port, server: server.port, folder }, chosen.only);
    } finally {
      await stopAll();
      await server.stop();
    }
  });
}

function report(all: ReadonlyMap<string, readonly Outcome[]>): void {
  const rows = [["way", "pass", "of"]];
  for (const [name, outcomes] of all)
    rows.push([name, String(outcomes.filter(({ passed }) => passed).length), String(outcomes.length)]);
  console.log(showTable(rows));
  const directly = new Set(
    all
      .get("direct")
      ?.filter(({ passed }) => passed)
      .map(({ name }) => name),
  );
  for (const [name, outcomes] of all) {
    const ran = new Set(outcomes.map((one) => one.name));
    for (const missing of [...directly].filter((one) => !ran.has(one)))
      console.log(`${name}: not run: ${missing}`);
    const failures = outcomes.filter((one) => !one.passed && (name === "direct" || directly.has(one.name)));
    if (failures.length > 0) console.log(`\n${name}:`);
    for (const failure of failures) console.log(`  ${failure.name}: ${failure.reason}`);
  }
}
