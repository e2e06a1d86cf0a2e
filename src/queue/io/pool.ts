/** A pool of the app's package pg: the user's own, or one that is opened for a URL. */
import { postgresUrl } from "../../postgres/index.ts";
import { type DriverClient, driver } from "../../postgres/io/index.ts";

/** Where the database is. */
export type PoolInput = { readonly url: string; readonly connections?: number } | { readonly pool: PgPool };

/** What is used of a client of pg's pool. */
export interface PgClient {
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them: rows are what was asked for
  query(text: string, values?: unknown[]): Promise<{ rows: any[] }>;
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** What is used of pg's pool, or of `tenfold/db`'s. */
export interface PgPool {
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them: rows are what was asked for
  query(text: string, values?: unknown[]): Promise<{ rows: any[] }>;
  connect(): Promise<PgClient>;
}

/** A pool and how to end it. */
export interface OpenPool {
  readonly pool: PgPool;
  /** Ends it when it was opened here. */
  end(): Promise<void>;
}

const CONNECTIONS = 5;
const CONNECT_MS = 5000;

/** The pool. @throws Error when a URL is given and pg is not installed. */
export function openPool(input: PoolInput): OpenPool {
  if ("pool" in input) return { pool: input.pool, end: () => Promise.resolve() };
  const { Pool } = driver();
  const pool = new Pool({
    connectionString: postgresUrl(input.url),
    max: input.connections ?? CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: "tenfold-queue",
  });
  pool.on("error", () => {}); // an idle connection ended: the pool makes another one
  return { pool: pool as unknown as PgPool, end: () => pool.end() };
}

/** Runs `work` in a transaction of its own. */
export async function inTransaction<T>(pool: PgPool, work: (client: PgClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener the loss of a connection in use would end the process; its query rejects as well.
  const ignore = (): void => {};
  client.on("error", ignore);
  let isBroken = true;
  try {
    await client.query("BEGIN");
    try {
      const value = await work(client);
      await client.query("COMMIT");
      isBroken = false;
      return value;
    } catch (error) {
      await client.query("ROLLBACK");
      isBroken = false;
      throw error;
    }
  } finally {
    client.removeListener("error", ignore);
    client.release(isBroken);
  }
}

/** The client as the schema's maker wants it. */
export function asDriver(client: PgClient): DriverClient {
  return client as unknown as DriverClient;
}
