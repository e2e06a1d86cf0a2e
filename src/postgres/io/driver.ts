/**
 * The package `pg` of the app, loaded when a URL asks for it: whoever uses no Postgres needs none.
 *
 * Only the shapes that are used are named here, so that no types of another package are in what an app compiles.
 */
import { createRequire } from "node:module";

/** Columns as the server's texts. */
export type Row = readonly (string | null)[];

/** One prepared statement. */
export interface Statement {
  /** Prepared once per connection under it. */
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** What is used of pg's `Client`. */
export interface DriverClient {
  connect(): Promise<unknown>;
  query(statement: Statement & { rowMode: "array"; types: object }): Promise<{ rows: Row[] }>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
  on(event: "notification", heard: (message: { payload?: string | undefined }) => void): unknown;
  on(event: "error", failed: (error: Error) => void): unknown;
  on(event: "end", ended: () => void): unknown;
}

/** A client of the pool; `release(true)` ends it. */
export interface PooledClient extends DriverClient {
  release(destroy?: boolean): void;
}

/** What is used of pg's `Pool`. */
export interface DriverPool {
  readonly waitingCount: number;
  connect(): Promise<PooledClient>;
  on(event: "error", failed: (error: Error) => void): unknown;
  on(event: "connect", connected: (client: DriverClient) => void): unknown;
  end(): Promise<void>;
}

interface Driver {
  readonly Client: new (options: object) => DriverClient;
  readonly Pool: new (options: object) => DriverPool;
}

/** The package. Throws an Error that says what to install when it is not there. */
export function driver(): Driver {
  try {
    return createRequire(import.meta.url)("pg") as Driver;
  } catch (error) {
    const mend = "run `npm install pg`: tenfold uses the app's own copy of it (8.11 or later)";
    throw new Error(`the package pg cannot be loaded; ${mend}`, { cause: error });
  }
}

/** Texts as they come, whatever parsers the app has set for all of pg. */
export const RAW: object = { getTypeParser: () => (text: string) => text };
