/**
 * The record of a cluster: the one value in the lease store. Whoever writes it holds the lease; it is written by compare-and-set
 * alone, so each revision has one author, and each term one primary.
 *
 * Postgres does not notice when two replicas are promoted from one point: both begin the same timeline. So which timeline is
 * whose, and where it begins, stands here and nowhere else; and each term has one of its own, also a term that never ran.
 */
import { formatLsn, type Lsn, parseLsn } from "../../pgwire/index.ts";
import type { PublishedQuorum } from "./quorum.ts";
import type { PrimaryStart } from "./starts.ts";

/** A term that ran: its primary took writes. */
export interface Term {
  readonly term: number;
  readonly server: string;
  readonly timeline: number;
  /** Position at which its timeline begins: what lies beyond on an earlier one is in no history. */
  readonly fork: Lsn;
}

/**
 * What the holder of the lease is about. Writes begin in "running" alone. What is under way when a switchover begins may still be
 * acknowledged in "switching-over": the successor gets the lease when it has the log's end.
 */
export type Phase =
  | "promoting"
  | "running"
  /** Its server crashed and is being started. */
  | "recovering"
  | "switching-over"
  /** The lease is given back: nobody need wait until it is over. */
  | "released";

/** What a failover lost. */
export interface Loss {
  readonly bytes: number;
  /** false: the old primary could not be read; it is this much or more. */
  readonly exact: boolean;
}

/** The value in the store. */
export interface ClusterRecord {
  /** Grows with each holder. */
  readonly term: number;
  /** Who holds the lease, or held it last. */
  readonly server: string;
  readonly phase: Phase;
  /** Where the timeline of `term` begins, on the timeline of the last of `terms` while promoting. */
  readonly fork: Lsn;
  /** End of the primary's log on its disk when this was written. */
  readonly flushed: Lsn;
  /** Terms that ran, oldest first, at most `TERMS_MAX`. The last one's timeline is the one that counts. */
  readonly terms: readonly Term[];
  /** Who must be asked before a promotion; null = nobody need have what was acknowledged. */
  readonly quorum: PublishedQuorum | null;
  /** Of the last failover. */
  readonly loss: Loss | null;
  /** Who shall be primary next, named as soon as that is planned; when released: who, and the end of the log that it must have. */
  readonly successor: string | null;
  readonly end: Lsn | null;
  /** Starts of primaries, oldest first: what becomes of transactions that were lost with one. Absent: none was noted yet. */
  readonly starts?: readonly PrimaryStart[];
}

/** Bytes from `from` to `to`; 0 when `to` lies before. */
export function bytesBetween(from: Lsn, to: Lsn): number {
  return to > from ? Number(to - from) : 0;
}

/** Far more failovers than any replica sleeps through; an older one is cloned anew. */
const TERMS_MAX = 100;

/** The record of a cluster whose first primary is `server`. */
export function firstRecord(
  server: string,
  timeline: number,
  flushed: Lsn,
  quorum: PublishedQuorum | null,
): ClusterRecord {
  return {
    term: 1,
    server,
    phase: "running",
    fork: 0n,
    flushed,
    terms: [{ term: 1, server, timeline, fork: 0n }],
    quorum,
    loss: null,
    successor: null,
    end: null,
  };
}

/** Terms with one more. */
export function withTerm(terms: readonly Term[], term: Term): readonly Term[] {
  return [...terms, term].slice(-TERMS_MAX);
}

/**
 * The timeline of the term that was taken. Each term since the last one that ran may have seen a promotion that nobody heard of, and Postgres
 * would have given the same number to all of them: so each term has one of its own, whether it was begun or not.
 */
export function timelineOf({ term, terms }: ClusterRecord): number {
  const last = terms.at(-1);
  return last === undefined ? term : last.timeline + term - last.term;
}

/** How far a server's log reaches. */
export interface Position {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/** What a server's log is worth to the cluster. */
export type Standing =
  /** It is on the timeline that counts, up to `lsn`, and has all that lies before that timeline. */
  | { readonly kind: "current"; readonly lsn: Lsn }
  /** All it has is in the history; it may follow, and must not be promoted: it lacks what was acknowledged before the fork. */
  | { readonly kind: "behind" }
  /** It has `bytes` that the history does not have; it must be rewound or made anew. null = how many cannot be told. */
  | { readonly kind: "diverged"; readonly bytes: number | null };

/** Where the log of `server` stands. O(terms). */
export function standingOf(record: ClusterRecord, server: string, { timeline, lsn }: Position): Standing {
  const last = record.terms.at(-1);
  if (timeline === last?.timeline) return lsn >= last.fork ? { kind: "current", lsn } : { kind: "behind" };
  // Promoted, and gone before the record said so: what it has of the timeline that counts ends at the fork.
  const isUnfinished = record.phase !== "running" && record.term !== last?.term && record.server === server;
  if (isUnfinished && timeline > (last?.timeline ?? 0))
    return { kind: "current", lsn: lsn < record.fork ? lsn : record.fork };
  const at = record.terms.findIndex((term) => term.timeline === timeline);
  const next = record.terms[at + 1];
  if (at < 0 || next === undefined) return { kind: "diverged", bytes: null };
  return lsn <= next.fork ? { kind: "behind" } : { kind: "diverged", bytes: Number(lsn - next.fork) };
}

/** As text, for the store. */
export function encodeRecord(record: ClusterRecord): string {
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === "bigint" ? formatLsn(value) : value,
  );
}

/** Reads what `encodeRecord` wrote; throws when it is something else, for then nobody may go on. */
export function parseRecord(text: string): ClusterRecord {
  const raw = JSON.parse(text) as RawRecord;
  return {
    ...raw,
    fork: position(raw.fork),
    flushed: position(raw.flushed),
    end: raw.end === null ? null : position(raw.end),
    terms: raw.terms.map((term) => ({ ...term, fork: position(term.fork) })),
  };
}

type RawRecord = Omit<ClusterRecord, "fork" | "flushed" | "end" | "terms"> & {
  readonly fork: string;
  readonly flushed: string;
  readonly end: string | null;
  readonly terms: readonly (Omit<Term, "fork"> & { readonly fork: string })[];
};

function position(text: string): Lsn {
  const lsn = parseLsn(text);
  if (lsn === undefined) throw new Error(`the cluster's record has "${text}" where a log position belongs`);
  return lsn;
}
