/**
 * Where a batch of statements goes. Pure: what is known goes in, one outcome comes out; whoever acts on it comes back with what it brought.
 *
 *   statements -> must the primary run one? -> how fresh must the answer be (a position in the log) -> which replicas are there
 *
 * Every consistency is a position that the replica must have replayed: none (eventual), the primary's of some time ago (bounded), the one
 * after the session's last write (session), the primary's of this moment (global).
 */
import { type Lsn, parseLsn } from "../../pgwire/index.ts";
import type { VolatileFunctions } from "../../sql/index.ts";
import type { Positions } from "./positions.ts";
import type { ReadSession } from "./read-session.ts";
import type { ReadReason, Unreadable } from "./reasons.ts";
import type { Replica } from "./replica.ts";
import type { TextPlan } from "./text-plan.ts";
import type { Writers } from "./writers.ts";

/** What is known of the cluster. */
export interface ReadCluster {
  /** Those of the view. */
  readonly replicas: readonly Replica[];
  readonly positions: Positions;
  /** The primary's timeline, if known. */
  readonly timeline: number | undefined;
  readonly writers: Writers;
}

/** One batch: what is asked for, and what has been tried. */
export interface ReadBatch {
  readonly plans: readonly TextPlan[];
  /** Of its database; undefined: not read yet. */
  readonly functions: VolatileFunctions | undefined;
  /** The primary's position, asked for after the batch came; "unknown": it did not tell. */
  readonly asked?: Lsn | "unknown" | undefined;
  /** The wait for a replica has taken as long as it may. */
  readonly isWaitOver?: boolean;
  /** Replicas that were lost while they ran it. */
  readonly tried?: ReadonlySet<Replica>;
}

/** `isFallback`: a replica might have served it, so that its like are bounded. */
export type Decision =
  | { readonly kind: "primary"; readonly reason: ReadReason; readonly isFallback: boolean }
  | { readonly kind: "replica"; readonly reason: ReadReason; readonly candidates: readonly Replica[] }
  /** The primary's position is needed, asked for from now on. */
  | { readonly kind: "ask" }
  /** No replica has replayed `lsn` yet. */
  | { readonly kind: "wait"; readonly lsn: Lsn };

const primary = (reason: ReadReason): Decision => ({ kind: "primary", reason, isFallback: false });
const fallback = (reason: ReadReason): Decision => ({ kind: "primary", reason, isFallback: true });

export function decide(
  batch: ReadBatch,
  session: ReadSession,
  cluster: ReadCluster,
  nowMs: number,
): Decision {
  const reason = whyPrimary(batch, session, cluster, nowMs);
  if (reason !== undefined) return primary(reason);
  const { tried } = batch;
  const replicas = cluster.replicas.filter((replica) => tried?.has(replica) !== true);
  if (replicas.length === 0)
    return cluster.replicas.length === 0 ? primary("no-replicas") : fallback("replica-lost");
  const readable = replicas.filter((replica) => replica.unreadable(cluster.timeline, nowMs) === undefined);
  if (readable.length === 0) return fallback(`replicas-${nearestToReadable(replicas, cluster, nowMs)}`);
  const needed = neededPosition(batch, session, cluster, nowMs);
  if (needed === "ask") return { kind: "ask" };
  if (needed === "unknown") return fallback("position-unknown");
  const candidates = readable.filter(({ replayed }) => replayed >= needed);
  if (candidates.length > 0) return { kind: "replica", reason: whyReplica(batch, session), candidates };
  return batch.isWaitOver === true ? fallback("replicas-behind") : { kind: "wait", lsn: needed };
}

/** Why the primary must run it; undefined: a replica may. One statement that needs the primary takes the others with it. */
function whyPrimary(
  { plans, functions }: ReadBatch,
  session: ReadSession,
  { writers }: ReadCluster,
  nowMs: number,
): ReadReason | undefined {
  if (plans.length === 0) return "no-statement";
  if (session.hasBackslashes) return "unparsable";
  for (const { text, access, reason, hint, functions: called } of plans) {
    if (hint?.mistake !== undefined || (hint?.after !== undefined && parseLsn(hint.after) === undefined))
      return "hint-unknown";
    const target = hint?.target ?? session.target;
    if (target === "primary") return "hint-primary";
    if (access === "primary" && (target !== "replica" || reason !== "about-server")) return reason;
    if (target === "replica") continue;
    if (functions === undefined) return "functions-unknown";
    if (called.length > 0 && functions.among(called) !== undefined) return "volatile-function";
    if (writers.has(text)) return "known-to-write";
  }
  if (session.isMistaken) return "hint-unknown";
  return session.isSerializable(nowMs) ? "serializable" : undefined;
}

function whyReplica({ plans }: ReadBatch, session: ReadSession): ReadReason {
  if (plans.some(({ hint }) => (hint?.target ?? session.target) === "replica")) return "hint-replica";
  return plans[0]?.reason ?? "read";
}

/** From the worst to the least: the reason of the replica that lacks least is given. */
const UNREADABLE: readonly Unreadable[] = ["ineligible", "down", "stale-timeline", "diverged", "lagging"];

function nearestToReadable(
  replicas: readonly Replica[],
  { timeline }: ReadCluster,
  nowMs: number,
): Unreadable {
  const found = replicas.map((replica) =>
    UNREADABLE.indexOf(replica.unreadable(timeline, nowMs) ?? "lagging"),
  );
  return UNREADABLE[Math.max(...found)] ?? "down";
}

/** The position that a replica must have replayed to run the batch. */
function neededPosition(
  { plans, asked }: ReadBatch,
  session: ReadSession,
  { positions }: ReadCluster,
  nowMs: number,
): Lsn | "ask" | "unknown" {
  let needed = 0n;
  for (const { hint } of plans) {
    const after = hint?.after === undefined ? undefined : parseLsn(hint.after);
    const position = positionFor(hint?.consistency ?? session.consistency);
    if (position === undefined) return asked === undefined ? "ask" : "unknown";
    if (position > needed) needed = position;
    if (after !== undefined && after > needed) needed = after;
  }
  return needed;

  function positionFor(consistency: ReadSession["consistency"]): Lsn | undefined {
    const now = asked === "unknown" ? undefined : asked;
    switch (consistency.kind) {
      case "eventual":
        return 0n;
      case "bounded":
        return positions.since(nowMs - consistency.ms) ?? now;
      case "session":
        return session.wrote ? now : session.after;
      case "global":
        return now === undefined || session.after < now ? now : session.after;
    }
  }
}
