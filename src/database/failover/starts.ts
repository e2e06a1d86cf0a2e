/**
 * What the record says of transactions' ids, so that a router can ask a primary what became of one that it ran before it was lost.
 *
 * An id whose log never reached a disk is given out once more after a crash, and one that no replica has heard of by the next primary.
 * `pg_xact_status` then tells of somebody else's transaction. So each start of a primary is noted with the first id that no transaction of
 * its history has: ids below it are never given again, those from it on were not committed before. Reasons, with Postgres' own source:
 * docs/decisions/0038-outcomes.md.
 */
import type { Lsn } from "../../pgwire/index.ts";
import type { ServerFacts } from "./facts.ts";
import type { ClusterRecord } from "./record.ts";

/** A primary began to take writes: it was promoted, or started again after a crash. */
export interface PrimaryStart {
  /** One more than that of the start before. */
  readonly number: number;
  /** Which server, and which of its processes. */
  readonly process: string;
  /** The first id of a transaction that may not have been given before, decimal; null = not known. */
  readonly firstId: string | null;
}

/** A process that runs as a primary, as its agent knows it. */
export interface PrimaryProcess {
  readonly process: string;
  /** The one that this agent knew before, if none can have run in between. */
  readonly after: string | undefined;
  readonly firstId: string | null;
}

/** Of a replica, before its promotion: the end of what it had replayed, and the first id that nothing committed in it has. */
export interface Replayed {
  readonly lsn: Lsn;
  readonly firstId: string;
}

/** Who was away for more starts than that has given up long ago. */
const STARTS_MAX = 20;

type Starts = Pick<ClusterRecord, "starts">;

/** Number of the start that counts; 0: the first one, of which nothing was noted. */
export function startOf({ starts = [] }: Starts): number {
  return starts.at(-1)?.number ?? 0;
}

/** The record's starts when `facts` are of a server that was promoted. `facts.fork`: where its timeline really begins. */
export function startedByPromotion(record: Starts & { readonly server: string }, facts: ServerFacts): Starts {
  const { replayed, life, fork } = facts;
  // What came behind what was replayed then may have had ids of its own.
  const firstId = replayed?.lsn === fork ? replayed.firstId : null;
  return withStart(record, life?.process ?? "", firstId);
}

/** …of the primary itself, which runs again. The same process: nothing was lost. */
export function startedAgain(record: Starts, { life }: ServerFacts): Starts {
  const last = record.starts?.at(-1);
  if (life !== undefined && life.process === last?.process) return {};
  const isNext = life?.after !== undefined && (last === undefined || life.after === last.process);
  return withStart(record, life?.process ?? "", isNext ? life.firstId : null);
}

function withStart(record: Starts, process: string, firstId: string | null): Starts {
  const { starts = [] } = record;
  return { starts: [...starts, { number: startOf(record) + 1, process, firstId }].slice(-STARTS_MAX) };
}

/** What an id that a primary gave after start `number` means now. */
export type IdStanding =
  /** It was given by the primary that runs, or its successor has it in its history: `pg_xact_status` tells the truth. */
  | "ask"
  /** Whoever runs now has not got it: it was not committed. */
  | "unseen"
  /** It may have been given to somebody else. */
  | "unknown";

/** Where an id of start `number` stands by a record that was read since. O(starts). */
export function standingOfId(record: Starts, number: number, id: bigint): IdStanding {
  if (startOf(record) === number) return "ask";
  // Later starts give no lower ids than the next one did.
  const next = record.starts?.find((start) => start.number === number + 1);
  if (next === undefined || next.firstId === null) return "unknown";
  return id < BigInt(next.firstId) ? "ask" : "unseen";
}
