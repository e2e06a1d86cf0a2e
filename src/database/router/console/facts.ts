/** All that the console's tables are made of. */
import type { PoolSettings } from "../pool-settings.ts";
import type { WorkerState } from "./state.ts";
import type { Traffic } from "./traffic.ts";

/** Names, and rows of text; null: there is no such thing here. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What a command comes to. */
export type ConsoleReply =
  | { readonly kind: "table"; readonly table: Table; readonly tag: string }
  | { readonly kind: "done"; readonly tag: string }
  | { readonly kind: "failed"; readonly message: string };

/** A router with all its workers. */
export interface ConsoleFacts {
  /** The router's own version. */
  readonly version: string;
  readonly states: readonly WorkerState[];
  /** Where clients connect. */
  readonly listen: Place;
  /** Where statements go; undefined while there is no primary. */
  readonly primary: Place | undefined;
  /** All workers together. */
  readonly pool: PoolSettings;
  readonly clientsMax: number;
  readonly loginTimeoutMs: number;
  readonly authentication: string;
  readonly clientTls: string;
  readonly serverTls: string;
  /** Users that the settings name. */
  readonly users: readonly string[];
  readonly adminUsers: readonly string[];
  readonly paused: PausedNames;
  /** Traffic up to a moment one to two periods ago, for averages. */
  readonly before: ReadonlyMap<string, Traffic>;
  /** How long ago that was. */
  readonly beforeMs: number;
  readonly periodMs: number;
}

/** An address. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Databases whose statements wait. */
export interface PausedNames {
  readonly all: boolean;
  readonly databases: readonly string[];
}

/** Whether statements of a database wait because of that. */
export function isPaused({ all, databases }: PausedNames, database: string): boolean {
  return all || databases.includes(database);
}
