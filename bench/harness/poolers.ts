/** Poolers on loopback before one PostgreSQL server: our router as a process of its own, and PgBouncer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PoolSettings } from "../../src/database/index.ts";
import { launchListening, type Started } from "./process.ts";
import { freePort } from "./wait.ts";

/** A pooler that listens. */
export interface Pooler {
  readonly name: string;
  readonly port: number;
  readonly process: Started;
}

/** Where a pooler runs, and before what. */
export interface PoolerPlace {
  /** For its log and its settings. */
  readonly folder: string;
  /** Port of the server. */
  readonly server: number;
  /** Core to pin it to; absent: any. */
  readonly core?: number;
}

/** Starts a worker of the router; nobody is asked for a password. `lease`: URL of the store with the lease that it follows. */
export async function startRouterProcess(
  { folder, server, core }: PoolerPlace,
  pool: Partial<PoolSettings>,
  lease?: string,
): Promise<Pooler> {
  const port = freePort();
  const argv = [
    process.execPath,
    join(import.meta.dirname, "router-worker.ts"),
    JSON.stringify({ port, server, pool, lease }),
  ];
  const name = `tenfold-${pool.mode ?? "transaction"}${lease === undefined ? "" : "-lease"}`;
  return {
    name: lease === undefined ? "tenfold" : "tenfold, by the lease",
    port,
    process: await launchListening({ name, argv, folder, ...(core === undefined ? {} : { core }) }, port),
  };
}

/** How PgBouncer is set. */
export interface PgBouncerSettings {
  readonly mode: "transaction" | "session";
  readonly size: number;
  /** Each client becomes this user; absent: users keep their names, those of `users` may come. */
  readonly user?: string;
  readonly users?: readonly string[];
}

/** Starts PgBouncer; nobody is asked for a password. */
export async function startPgBouncer(
  { folder, server, core }: PoolerPlace,
  { mode, size, user, users = [] }: PgBouncerSettings,
): Promise<Pooler> {
  const port = freePort();
  const path = join(folder, `pgbouncer-${mode}.ini`);
  const list = join(folder, `pgbouncer-${mode}.users`);
  writeFileSync(list, users.map((name) => `"${name}" ""\n`).join(""));
  const lines = [
    "[databases]",
    `* = host=127.0.0.1 port=${server}${user === undefined ? "" : ` user=${user}`}`,
    "[pgbouncer]",
    `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
    user === undefined ? `auth_type = trust\nauth_file = ${list}` : "auth_type = any",
    `pool_mode = ${mode}\ndefault_pool_size = ${size}\nmax_client_conn = 10000`,
    "ignore_startup_parameters = extra_float_digits",
    "log_connections = 0\nlog_disconnections = 0\n",
  ];
  writeFileSync(path, lines.join("\n"));
  // It refuses to run as root.
  const as = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const name = `pgbouncer-${mode}`;
  const argv = ["pgbouncer", "-q", ...as, path];
  return {
    name: `pgbouncer (${mode})`,
    port,
    process: await launchListening({ name, argv, folder, ...(core === undefined ? {} : { core }) }, port),
  };
}
