/** What is used of the app's package `pg`, loaded when a client is opened. Only shapes are named, so that no types of it are needed. */
import { driver } from "../../postgres/io/index.ts";

/** What is used of a client of pg's pool. */
export interface DriverClient {
  query(config: unknown, values?: unknown, callback?: unknown): unknown;
  release(destroy?: Error | boolean): void;
  on(event: string, listener: (...values: never[]) => void): unknown;
  getTransactionStatus?(): "I" | "T" | "E" | null;
  /** Emits `parameterStatus` for settings that the server reports. */
  readonly connection?: {
    on(event: string, listener: (message: ParameterStatus) => void): unknown;
    readonly stream?: { destroy(): unknown };
  };
  readonly processID?: unknown;
  readonly secretKey?: unknown;
  /** On a client that has not connected: sends a cancel request for the query of another one. */
  cancel?(other: { activeQuery: unknown; processID: unknown; secretKey: unknown }, query: unknown): void;
}

/** A setting that the server reports by itself. */
export interface ParameterStatus {
  readonly parameterName?: string;
  readonly parameterValue?: string;
}

/** What is used of pg's pool. */
export interface DriverPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly expiredCount: number;
  readonly options: Record<string, unknown>;
  connect(): Promise<DriverClient>;
  end(): Promise<void>;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
}

/** The package. */
export interface Driver {
  readonly escapeIdentifier: (text: string) => string;
  readonly escapeLiteral: (text: string) => string;
  readonly Client: new (options: object) => DriverClient;
  readonly Pool: new (options: object) => DriverPool;
}

/** The package. Rejects with an Error that says what to install when it is not there. */
export async function loadDriver(): Promise<Driver> {
  try {
    const loaded = (await import("pg")) as unknown as { default: Driver };
    return loaded.default;
  } catch (error) {
    const mend = "run `npm install pg`: tenfold/db uses the app's own copy of it (8.11 or later)";
    throw new Error(`the package pg cannot be loaded; ${mend}`, { cause: error });
  }
}

/** The package, at once. Throws an Error that says what to install when it is not there. */
export function requireDriver(): Driver {
  return driver() as unknown as Driver;
}
