/**
 * The election as one candidate sees it: from the answers so far to what it does next. The answers decide whether it may; the
 * compare-and-set on the record decides whether it does.
 */
import type { Lsn } from "../../pgwire/index.ts";
import { canBePrimary, type Member } from "./member.ts";
import type { PositionAnswer } from "./questions.ts";
import { bytesBetween, type ClusterRecord, type Loss, type Position, standingOf } from "./record.ts";
import type { FailoverSettings } from "./settings.ts";

/** Why a candidate does not go on. The literals go to log, status and console as they are. */
export type NoPromotion =
  | "witness"
  | "priority-zero"
  | "stale-timeline"
  | "diverged"
  /** In quorum mode: too few of those that may have acknowledged writes have answered, or they have more. */
  | "no-quorum"
  /** In async mode: what would be lost is more than is allowed. */
  | "lag-above-maximum";

/** What a candidate knows. */
export interface Candidacy {
  readonly self: Member;
  readonly members: readonly Member[];
  readonly record: ClusterRecord;
  readonly own: Position;
  readonly heard: Lsn;
  /** Latest answer of each, by name. */
  readonly answers: Readonly<Record<string, PositionAnswer>>;
  /** Since the candidacy began. */
  readonly elapsedMs: number;
  /** Those from whom its log was to be completed lately. */
  readonly drained: readonly string[];
  /** Where the old primary's log ends, read from its disk. */
  readonly diskEnd: Lsn | undefined;
}

/** What it does next. */
export type Decision =
  | { readonly kind: "wait"; readonly reason: "votes" }
  | { readonly kind: "aside"; readonly better: string }
  /** Complete the log from the directory of a server that does not run. */
  | { readonly kind: "drain-disk"; readonly server: string }
  /** Complete the log by streaming from a member that is ahead. */
  | { readonly kind: "drain-stream"; readonly server: string; readonly until: Lsn }
  /** Take the lease; `fork` is where the new timeline begins. */
  | { readonly kind: "take"; readonly fork: Lsn; readonly loss: Loss }
  | { readonly kind: "refuse"; readonly reason: NoPromotion };

/** Decides. O(members * terms). */
export function decide(candidacy: Candidacy, settings: FailoverSettings): Decision {
  const { self, record, own, members, elapsedMs } = candidacy;
  const ruledOut = unfitness(self, record, own);
  if (ruledOut !== undefined) return { kind: "refuse", reason: ruledOut };
  const mine = currentLsn(record, self.name, own) ?? 0n;
  const others = members.filter(({ name }) => name !== self.name);
  const missing = others.some(({ name }) => candidacy.answers[name] === undefined);
  if (missing && elapsedMs < settings.voteMs) return { kind: "wait", reason: "votes" };
  const better = others.find((other) => isBetter(other, candidacy, mine));
  if (better !== undefined && elapsedMs < settings.voteMs + settings.asideMs)
    return { kind: "aside", better: better.name };
  return completion(candidacy, mine) ?? verdict(candidacy, mine, settings);
}

/** Why a server can never be promoted as it is. */
export function unfitness(self: Member, record: ClusterRecord, own: Position): NoPromotion | undefined {
  if (self.kind === "witness") return "witness";
  if (!canBePrimary(self)) return "priority-zero";
  const { kind } = standingOf(record, self.name, own);
  if (kind === "behind") return "stale-timeline";
  return kind === "diverged" ? "diverged" : undefined;
}

function currentLsn(record: ClusterRecord, name: string, position: Position): Lsn | undefined {
  const standing = standingOf(record, name, position);
  return standing.kind === "current" ? standing.lsn : undefined;
}

/** More log, then higher priority, then the name that sorts first. */
function isBetter(other: Member, { answers, record, self }: Candidacy, mine: Lsn): boolean {
  const answer = answers[other.name];
  if (answer === undefined || !answer.canLead || !canBePrimary(other)) return false;
  const lsn = currentLsn(record, other.name, answer);
  if (lsn === undefined || lsn < mine) return false;
  if (lsn > mine) return true;
  return other.priority === self.priority ? other.name < self.name : other.priority > self.priority;
}

/** From where the log can be completed: from the disk of an old primary that is silent, or from whoever is ahead. */
function completion(candidacy: Candidacy, mine: Lsn): Decision | undefined {
  const { members, record, answers, drained, self } = candidacy;
  // The last holder may never have run; then the one before it has log that counts, too.
  const holders = [record.server, record.terms.at(-1)?.server];
  const silent = members.find(
    ({ name, data }) =>
      holders.includes(name) &&
      name !== self.name &&
      answers[name] === undefined &&
      data !== undefined &&
      !drained.includes(name),
  );
  if (silent !== undefined) return { kind: "drain-disk", server: silent.name };
  const ahead = aheadOf(candidacy, mine).filter(({ name }) => !drained.includes(name));
  const source = ahead.toSorted((a, b) => (a.lsn < b.lsn ? 1 : -1))[0];
  if (source === undefined) return undefined;
  const isSameTimeline = source.timeline === record.terms.at(-1)?.timeline;
  if (source.running && isSameTimeline)
    return { kind: "drain-stream", server: source.name, until: source.lsn };
  const hasDisk = members.some(({ name, data }) => name === source.name && data !== undefined);
  return hasDisk ? { kind: "drain-disk", server: source.name } : undefined;
}

/** Members that have more of the timeline that counts. */
function aheadOf(
  { answers, record }: Candidacy,
  mine: Lsn,
): { readonly name: string; readonly lsn: Lsn; readonly running: boolean; readonly timeline: number }[] {
  return Object.entries(answers).flatMap(([name, answer]) => {
    const lsn = currentLsn(record, name, answer);
    const { running, timeline } = answer;
    return lsn !== undefined && lsn > mine ? [{ name, lsn, running, timeline }] : [];
  });
}

function verdict(candidacy: Candidacy, mine: Lsn, settings: FailoverSettings): Decision {
  const { record } = candidacy;
  const loss = lossOf(candidacy, mine);
  const hasAll = loss.exact && loss.bytes === 0;
  if (record.quorum !== null && !hasAll) {
    const { names, votes } = record.quorum;
    if (votesFor(candidacy, names, mine) < votes) return { kind: "refuse", reason: "no-quorum" };
    return { kind: "take", fork: mine, loss: { bytes: 0, exact: true } }; // nobody was told of what is missing
  }
  if (record.quorum === null && loss.bytes > settings.durability.lagBytesMax)
    return { kind: "refuse", reason: "lag-above-maximum" };
  return { kind: "take", fork: mine, loss };
}

/** Names that have promised and are not ahead; whoever acknowledged a write that is missing here would be. */
function votesFor(candidacy: Candidacy, names: readonly string[], mine: Lsn): number {
  const ahead = aheadOf(candidacy, mine).map(({ name }) => name);
  const { answers, self } = candidacy;
  return names.filter((name) => name === self.name || (answers[name] !== undefined && !ahead.includes(name)))
    .length;
}

/** What a promotion at `mine` leaves behind of the old primary's log. */
function lossOf({ self, record, answers, diskEnd, heard }: Candidacy, mine: Lsn): Loss {
  const pending = record.term === record.terms.at(-1)?.term ? null : record.loss;
  // The last holder never ran, and so acknowledged nothing: what counts is the log of the one before it.
  if (pending !== null)
    return { bytes: bytesBetween(mine, record.fork + BigInt(pending.bytes)), exact: pending.exact };
  if (record.server === self.name) return { bytes: 0, exact: true }; // the old primary itself
  const old = answers[record.server];
  const end = record.end ?? (old && currentLsn(record, record.server, old)) ?? diskEnd;
  if (end !== undefined) return { bytes: bytesBetween(mine, end), exact: true };
  const known = [record.flushed, heard, ...Object.values(answers).map((answer) => answer.heard)];
  const furthest = known.reduce((most, lsn) => (lsn > most ? lsn : most), 0n);
  return { bytes: bytesBetween(mine, furthest), exact: false };
}
