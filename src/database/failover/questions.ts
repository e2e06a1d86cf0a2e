/** What members ask each other, and what they answer. */
import type { Lsn } from "../../pgwire/index.ts";
import type { Position } from "./record.ts";

/** A question; `id` comes back in the answer. */
export type Question =
  /**
   * "The lease of this revision is over and I want it." Whoever answers with a position has promised to take nothing more from
   * a primary until it sees a later revision; an old primary has been fenced.
   */
  | { readonly kind: "vote"; readonly id: number; readonly revision: number }
  /** "How far are you?" Changes nothing. */
  | { readonly kind: "position"; readonly id: number };

/** Why a vote is refused. */
export type VoteRefusal =
  /** It holds the lease by its own clock. */
  | "lease-held"
  /** It has seen a later revision: the candidate cannot win. */
  | "stale-revision";

/** What a server has. */
export interface PositionAnswer extends Position {
  readonly kind: "position";
  readonly id: number;
  /** The furthest position of a primary that it heard of. */
  readonly heard: Lsn;
  /** Others can stream from it. */
  readonly running: boolean;
  /** It could be promoted itself, and reaches the store. */
  readonly canLead: boolean;
}

/** An answer; only a position counts for anything. */
export type Answer =
  | PositionAnswer
  | { readonly kind: "refused"; readonly id: number; readonly reason: VoteRefusal };
