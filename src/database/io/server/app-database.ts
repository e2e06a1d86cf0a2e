/** The database of an app: a role that may log in and owns one database, and nothing beyond it. */
import { verifierText } from "./data-directory.ts";
import type { PostgresServer } from "./postgres-server.ts";

/**
 * Makes role and database `name` on a primary, unless they are there. A role that is there keeps its password. The schema "public" is the
 * role's, so that migrations may make tables in it.
 */
export async function ensureAppDatabase(
  server: PostgresServer,
  name: string,
  password: string,
): Promise<void> {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  const [role] = await server.query("select 1 as there from pg_roles where rolname = $1", [name]);
  if (role === undefined)
    await server.query(`create role ${quoted} login password '${verifierText(password)}'`);
  const [database] = await server.query("select 1 as there from pg_database where datname = $1", [name]);
  // Postgres 15 and later give the schema "public" to the owner of the database.
  if (database === undefined) await server.query(`create database ${quoted} owner ${quoted}`);
}
