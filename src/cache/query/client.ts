/** What is used of `pg`: clients, pools and the arguments of `query`, in all the shapes that pg takes. */
import type { QueryResult, TypeParsers } from "./answer.ts";

/** The object form of a query. Other fields, such as `query_timeout`, go to pg as they are. */
export interface QueryConfig {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  readonly name?: string | undefined;
  readonly rowMode?: string | undefined;
  readonly types?: TypeParsers | undefined;
  readonly binary?: boolean | undefined;
  /** Rows per round trip: pg's way to read in portions. */
  readonly rows?: number | undefined;
  /** `false` sends this query by the cache. */
  readonly cache?: boolean | undefined;
  readonly callback?: QueryCallback | undefined;
}

/** Called once, as pg calls it. */
export type QueryCallback = (error: unknown, result?: QueryResult) => void;

/** A cursor, a query stream, a COPY stream: an object that speaks the protocol itself. */
export interface Submittable {
  readonly submit: (connection: unknown) => void;
  readonly text?: string;
  readonly cursor?: { readonly text?: string };
  readonly handleError?: (error: Error, connection?: unknown) => void;
}

/** One call of `query`. */
export interface QueryCall {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly config: QueryConfig;
  readonly callback: QueryCallback | undefined;
}

/** A `pg.Client`, or a client of a pool. */
export interface PgClient {
  query(config: unknown, values?: unknown, callback?: unknown): unknown;
  readonly getTypeParser?: TypeParsers["getTypeParser"];
  readonly binary?: boolean | undefined;
  readonly connection?: unknown;
}

/** A `pg.Pool`. */
export interface PgPool {
  query(config: unknown, values?: unknown, callback?: unknown): unknown;
  connect(callback?: unknown): unknown;
  on(event: "remove", listener: (client: PgClient) => void): unknown;
  readonly totalCount: number;
  readonly options: { readonly types?: TypeParsers; readonly binary?: boolean };
}

/** Whether it is a pool. */
export function isPool(client: PgClient | PgPool): client is PgPool {
  return "totalCount" in client && "options" in client;
}

/** Whether the first argument of `query` speaks the protocol itself. */
export function isSubmittable(config: unknown): config is Submittable {
  return (
    typeof config === "object" && config !== null && "submit" in config && typeof config.submit === "function"
  );
}

/** The call in one shape; undefined for arguments that pg itself must complain about. */
export function callOf(config: unknown, values: unknown, callback: unknown): QueryCall | undefined {
  const given = typeof config === "string" ? { text: config } : (config as QueryConfig | null | undefined);
  if (typeof given?.text !== "string") return undefined;
  const last = [callback, values, given.callback].find((each) => typeof each === "function");
  const { callback: _, ...rest } = given;
  const list = Array.isArray(values) ? (values as unknown[]) : (given.values ?? []);
  return {
    text: given.text,
    values: list,
    config: list.length === 0 && rest.values === undefined ? rest : { ...rest, values: list },
    callback: last as QueryCallback | undefined,
  };
}
