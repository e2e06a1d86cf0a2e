/**
 * Quorums: who must have a commit before it is acknowledged, and how many must be asked before somebody is promoted.
 *
 * Two settings in two places. Postgres has `ANY count (names)`: commits wait for it. The record has `{names, votes}`: a
 * candidate needs so many of those names. They fit when every set of servers that can acknowledge meets every set that can
 * vote: then a candidate that no voter is ahead of has all that was acknowledged. The two cannot change in one instant, so they
 * change in an order that fits at each moment: the record first learns of both, then Postgres changes, then, when the new
 * servers have all that was acknowledged under the old setting, the record forgets the old one.
 *
 * Patroni's quorum commit orders its changes for the same reason (patroni/quorum.py); here the rule is one inequality.
 */
import type { Lsn } from "../../pgwire/index.ts";
import type { AttachedReplica } from "./facts.ts";

/** What Postgres waits for; count 0 = for nobody. */
export interface AppliedQuorum {
  readonly count: number;
  readonly names: readonly string[];
}

/** What a candidate needs: answers of `votes` of `names`. */
export interface PublishedQuorum {
  readonly names: readonly string[];
  readonly votes: number;
}

/** Waits for nobody. */
export const NO_QUORUM: AppliedQuorum = { count: 0, names: [] };

/** Waits for somebody who does not exist: nothing is acknowledged. */
export const NOTHING_ACKNOWLEDGED: AppliedQuorum = { count: 1, names: ["tenfold_nobody"] };

/** Whether every set that can acknowledge under `applied` meets every set that can vote under `recorded`. O(names). */
export function fits(applied: AppliedQuorum, recorded: PublishedQuorum): boolean {
  const outside = applied.names.filter((name) => !recorded.names.includes(name)).length;
  return applied.count - outside + recorded.votes > recorded.names.length;
}

/** What fits `applied` alone, with as few votes as can be; null when nobody waits for anybody. */
export function published(applied: AppliedQuorum): PublishedQuorum | null {
  if (applied.count === 0) return null;
  return { names: applied.names, votes: applied.names.length - applied.count + 1 };
}

/** What fits both; null when one of them waits for nobody. */
function publishedForBoth(one: AppliedQuorum, other: AppliedQuorum): PublishedQuorum | null {
  const count = Math.min(one.count, other.count);
  return published({ count, names: [...new Set([...one.names, ...other.names])] });
}

/** Whether two settings are the same, in whatever order their names are. */
export function sameQuorum(one: AppliedQuorum, other: AppliedQuorum): boolean {
  return one.count === other.count && sameNames(one.names, other.names);
}

function samePublished(one: PublishedQuorum | null, other: PublishedQuorum | null): boolean {
  if (one === null || other === null) return one === other;
  return one.votes === other.votes && sameNames(one.names, other.names);
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name));
}

/** Whether a commit up to `lsn` has all the acknowledgements that `quorum` asks for. */
export function hasQuorum(quorum: AppliedQuorum, replicas: readonly AttachedReplica[], lsn: Lsn): boolean {
  const having = replicas.filter(({ name, flushed }) => quorum.names.includes(name) && flushed >= lsn);
  return having.length >= quorum.count;
}

/** The next step from what is to what is wanted. */
export type QuorumStep =
  | { readonly kind: "none" }
  | { readonly kind: "publish"; readonly quorum: PublishedQuorum | null }
  | { readonly kind: "apply"; readonly quorum: AppliedQuorum }
  /** Applied; the record keeps the old names until the new ones have what lies before. */
  | { readonly kind: "wait" };

/** Where a primary is on the way. */
export interface QuorumState {
  readonly applied: AppliedQuorum;
  readonly recorded: PublishedQuorum | null;
  readonly replicas: readonly AttachedReplica[];
  /** End of the log when `applied` came into force. */
  readonly since: Lsn;
}

/** One step towards `wanted`; each is safe to stop after, for ever. */
export function quorumStep(state: QuorumState, wanted: AppliedQuorum): QuorumStep {
  const { applied, recorded, replicas, since } = state;
  const exact = published(wanted);
  if (sameQuorum(applied, NOTHING_ACKNOWLEDGED)) {
    const isSafe = recorded === null ? exact === null : fits(wanted, recorded);
    return isSafe ? { kind: "apply", quorum: wanted } : { kind: "publish", quorum: exact };
  }
  if (!sameQuorum(applied, wanted)) {
    const both = publishedForBoth(applied, wanted);
    if (both === null)
      return recorded === null ? { kind: "apply", quorum: wanted } : { kind: "publish", quorum: null };
    const isSafe = recorded === null || (fits(applied, recorded) && fits(wanted, recorded));
    return isSafe ? { kind: "apply", quorum: wanted } : { kind: "publish", quorum: both };
  }
  if (samePublished(recorded, exact)) return { kind: "none" };
  if (exact === null) return { kind: "publish", quorum: null };
  return hasQuorum(wanted, replicas, since) ? { kind: "publish", quorum: exact } : { kind: "wait" };
}
