/** `query` as pg has it, in its types: what libraries ask of a pool or a client, and what an app writes. */
import type { Field } from "../../postgres/index.ts";
import type { Hints } from "../terms.ts";

/** A query's answer, as pg gives it. */
// oxlint-disable-next-line typescript/no-explicit-any -- as pg types them: rows are what the app asked for
export interface QueryAnswer<Row = any> {
  command: string;
  rowCount: number | null;
  oid: number;
  fields: Field[];
  rows: Row[];
}

/**
 * The object form of a query; other fields (`rowMode`, `types` …) go to pg as they are. Hints hold for this statement alone; within a
 * transaction, which is on one connection, they say nothing.
 */
export interface QueryConfig extends Hints {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  /** Prepared under it, once per connection. */
  readonly name?: string | undefined;
  /** "array": rows are lists. */
  readonly rowMode?: string | undefined;
  readonly types?: object | undefined;
  /** Aborted: a statement that waits is not sent; one that runs is cancelled at the server. Rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The same with rows as lists. */
export interface ArrayQueryConfig extends QueryConfig {
  readonly rowMode: "array";
}

/** A cursor, a stream, COPY: what takes a connection and speaks on it. */
export interface Submittable {
  // oxlint-disable-next-line typescript/no-explicit-any -- pg's own Connection, whose types are not needed here
  readonly submit: (connection: any) => void;
}

/** Hears a query's end. */
export type QueryCallback<Answer> = (error: Error, answer: Answer) => void;

/** The forms of `query`. */
export interface Query {
  <Stream extends Submittable>(stream: Stream): Stream;
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them
  <Row extends any[] = any[]>(
    config: ArrayQueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryAnswer<Row>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them
  <Row extends object = any>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<QueryAnswer<Row>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them
  <Row extends any[] = any[]>(config: ArrayQueryConfig, callback: QueryCallback<QueryAnswer<Row>>): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them
  <Row extends object = any>(query: string | QueryConfig, callback: QueryCallback<QueryAnswer<Row>>): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as pg types them
  <Row extends object = any>(
    query: string | QueryConfig,
    values: readonly unknown[] | undefined,
    callback: QueryCallback<QueryAnswer<Row>>,
  ): void;
}
