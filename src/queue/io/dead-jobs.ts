/** Jobs whose tries are used up, as people look at them. */
import type { JobWithMetadata } from "pg-boss";
import type { Failure } from "../failure.ts";

/** One of them. */
export interface DeadJob<Data> {
  /** Among the dead letters: what `redrive` takes. */
  readonly id: string;
  /** The one that `send` gave. */
  readonly sentAs: string | undefined;
  readonly data: Data;
  readonly key: string | undefined;
  /** Tries after the first that were made. */
  readonly retries: number;
  /** The last try's. Undefined when its worker died in it. */
  readonly error: Failure | undefined;
  readonly sentAt: Date | undefined;
  readonly diedAt: Date;
}

/** Which page of them. */
export interface PageOptions {
  /** Default 100. */
  readonly limit?: number;
  /** The id of the last one of the page before. */
  readonly after?: string;
}

/** pg-boss' row, read. */
export function deadJob<Data>(row: JobWithMetadata<Data>): DeadJob<Data> {
  const output: Partial<Failure> | null = row.sourceOutput;
  return {
    id: row.id,
    sentAs: row.sourceId ?? undefined,
    data: row.data,
    key: row.singletonKey ?? undefined,
    retries: row.sourceRetryCount ?? 0,
    error: output?.message === undefined ? undefined : (output as Failure),
    sentAt: row.sourceCreatedOn ?? undefined,
    diedAt: row.createdOn,
  };
}
