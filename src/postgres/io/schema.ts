/**
 * Tables and functions in the schema `tenfold`, made at the first use and brought up to date by steps.
 *
 * One process at a time, under an advisory lock. A database that a newer tenfold has changed is used by an older one as long
 * as the newer says that the older can read it: so a deploy may have both at work.
 */
import { type DriverClient, RAW, type Row } from "./driver.ts";

/** What a part keeps in Postgres. */
export interface PostgresSchema {
  /** "cache", "session". */
  readonly part: string;
  /** Statements that lead from version n to n + 1; the last one's number is the version. */
  readonly steps: readonly string[];
  /** The oldest version of the part that can use what the last step leaves. */
  readonly readableFrom: number;
}

/** Advisory locks of one key are the application's own; this one spells "tnfl". */
const LOCK = 0x74_6e_66_6c;

const VERSIONS = `
CREATE TABLE IF NOT EXISTS tenfold.versions (
  part text PRIMARY KEY, version integer NOT NULL, readable_from integer NOT NULL);`;

/** Makes or updates what is missing. Rejects when the database refuses, or is of a newer tenfold that this one cannot use. */
export async function ensureSchema(client: DriverClient, schema: PostgresSchema): Promise<void> {
  if (await isCurrent(client, schema)) return;
  await client.query("BEGIN");
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    // Another process may have been here while this one waited.
    if (!(await isCurrent(client, schema))) await update(client, schema);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function update(client: DriverClient, { part, steps, readableFrom }: PostgresSchema): Promise<void> {
  const [encoding] = await rows(client, "SHOW server_encoding");
  if (encoding?.[0] !== "UTF8")
    throw new Error(`the database's encoding is ${encoding?.[0]}: make one with ENCODING 'UTF8'`);
  const [found] = await rows(client, "SELECT to_regnamespace('tenfold')");
  // IF NOT EXISTS would ask for the right to create it although it is there.
  if (found?.[0] === null) await client.query("CREATE SCHEMA tenfold");
  await client.query(VERSIONS);
  const from = (await versionOf(client, part))?.version ?? 0;
  for (const step of steps.slice(from)) await client.query(step);
  await rows(
    client,
    `INSERT INTO tenfold.versions VALUES ($1, $2, $3) ON CONFLICT (part)
     DO UPDATE SET version = EXCLUDED.version, readable_from = EXCLUDED.readable_from`,
    [part, steps.length, readableFrom],
  );
}

async function isCurrent(client: DriverClient, { part, steps }: PostgresSchema): Promise<boolean> {
  const [table] = await rows(client, "SELECT to_regclass('tenfold.versions')");
  const known = table?.[0] === null ? undefined : await versionOf(client, part);
  if (known === undefined || known.version < steps.length) return false;
  if (known.readableFrom <= steps.length) return true;
  throw new Error(
    `the database has version ${known.version} of tenfold's ${part} tables, this tenfold knows ${steps.length}: update it`,
  );
}

async function versionOf(
  client: DriverClient,
  part: string,
): Promise<{ version: number; readableFrom: number } | undefined> {
  const text = "SELECT version, readable_from FROM tenfold.versions WHERE part = $1";
  const [row] = await rows(client, text, [part]);
  return row && { version: Number(row[0]), readableFrom: Number(row[1]) };
}

async function rows(client: DriverClient, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await client.query({ text, values, rowMode: "array", types: RAW })).rows;
}
