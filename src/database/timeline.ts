/**
 * Timelines: each promotion begins a new one at a position of the old one. Whether a server may follow another is a question
 * about them, and Postgres does not ask it in time: a server that went beyond the fork keeps answering with rows that the
 * cluster no longer has, and only its log complains.
 */
import { formatLsn, type Lsn, parseLsn } from "../pgwire/index.ts";

/** Where a timeline ended, for the one after it. */
export interface TimelineFork {
  readonly timeline: number;
  readonly at: Lsn;
}

/** Reads a ".history" file: the timelines before, oldest first. Lines that are none are passed over, as Postgres does. */
export function parseHistory(text: string): TimelineFork[] {
  return text.split("\n").flatMap((line) => {
    const [timeline = "", position = ""] = line.trim().split(/\s+/);
    const at = parseLsn(position);
    return /^\d+$/.test(timeline) && at !== undefined ? [{ timeline: Number(timeline), at }] : [];
  });
}

/** How far a server has come: its timeline, and the end of what is in its log. */
export interface TimelinePosition {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/** Whether a server may follow another as it is. */
export type Descent =
  | { readonly kind: "follows" }
  /** It has what the other's history does not: from `fork` on. */
  | { readonly kind: "diverged"; readonly fork: Lsn; readonly reason: string };

/**
 * Whether all that `own` has is in the history of `other`. `history` are the forks before the other's timeline; a server of
 * the other's own timeline must not be ahead of it.
 */
export function descent(
  own: TimelinePosition,
  other: TimelinePosition,
  history: readonly TimelineFork[],
): Descent {
  const fork =
    own.timeline === other.timeline
      ? other.lsn
      : history.find(({ timeline }) => timeline === own.timeline)?.at;
  if (fork === undefined) {
    const reason = `timeline ${own.timeline} is not in the history of timeline ${other.timeline}`;
    return { kind: "diverged", fork: 0n, reason };
  }
  if (own.lsn <= fork) return { kind: "follows" };
  const reason = `it went to ${formatLsn(own.lsn)} on timeline ${own.timeline}, which ends at ${formatLsn(fork)}`;
  return { kind: "diverged", fork, reason };
}
