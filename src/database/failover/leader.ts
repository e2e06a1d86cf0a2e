/**
 * The member that holds the lease: it renews it, has its server promoted or started, keeps the quorum, and fences itself when it
 * could not renew in time. Each call looks at what is and does the next thing, so that a lost message or a crash in between
 * costs time and nothing else.
 */
import type { ServerFacts } from "./facts.ts";
import { advanceHandover, type HandoverStep } from "./handover.ts";
import {
  type AppliedQuorum,
  hasQuorum,
  NO_QUORUM,
  NOTHING_ACKNOWLEDGED,
  published,
  type QuorumStep,
  quorumStep,
  sameQuorum,
} from "./quorum.ts";
import { type ClusterRecord, type Phase, timelineOf, withTerm } from "./record.ts";
import { startedAgain, startedByPromotion } from "./starts.ts";
import { fence, type Leader, order, read, report, set, type Turn, write } from "./state.ts";
import type { Watch } from "./watch.ts";

/** A request that failed is tried again after this part of the time between renewals. */
const RETRY_SHARE = 0.25;

/** Others see that the lease is given back, ask each other and take it, within less than one; the server's end takes a part of the other. */
const STAND_BACK_LEASES = 2;

/** What a leader does. */
export function advanceLeader(turn: Turn, role: Leader): void {
  const { watch, facts } = turn.state;
  if (watch === undefined || turn.nowMs >= role.validUntilMs) return fence(turn, "lease-over");
  if (watch.record.term !== role.term || watch.record.server !== turn.self.name)
    return fence(turn, "deposed");
  if (facts !== undefined) {
    if (role.resigning) resign(turn, watch.record, facts);
    else if (!act(turn, role, watch, facts)) return;
  }
  renew(turn);
}

/** Does what the phase asks for; false = it is no leader any more. */
function act(turn: Turn, role: Leader, { record }: Watch, facts: ServerFacts): boolean {
  switch (record.phase) {
    case "promoting":
      promote(turn, role, record, facts);
      break;
    case "running":
      run(turn, role, record, facts);
      break;
    case "recovering":
      recover(turn, role, record, facts);
      break;
    case "switching-over":
      if (role.handover === undefined)
        enter(turn, "recovering"); // of an earlier agent: taken back
      else carryOut(turn, advanceHandover(turn, role.handover, facts));
      break;
    case "released":
      order(turn, { kind: "freeze" });
      set(turn, { role: { kind: "follower" } });
      return false;
  }
  return true;
}

/** Writes the record again, with where the log ends now. */
function renew(turn: Turn): void {
  const { watch, facts, failedMs, role } = turn.state;
  if (watch === undefined || role.kind !== "leader") return;
  const { renewMs } = turn.settings;
  if (turn.nowMs < Math.min(watch.notBeforeMs + renewMs, watch.seenMs + renewMs)) return;
  if (turn.nowMs < failedMs + renewMs * RETRY_SHARE) return;
  if (failedMs > watch.sentMs) return read(turn); // the write may have happened
  write(turn, "lead", { ...watch.record, flushed: facts?.lsn ?? watch.record.flushed });
}

/** Writes the record with another phase. */
function enter(turn: Turn, phase: Phase, change: Partial<ClusterRecord> = {}): void {
  const { watch } = turn.state;
  if (watch !== undefined) write(turn, "lead", { ...watch.record, ...change, phase });
}

function isLate(turn: Turn, role: Leader): boolean {
  return turn.nowMs >= role.sinceMs + turn.settings.startMs;
}

/** The quorum of a primary that has just been promoted: all others, whether they are there or not. */
function firstQuorum({ self, members, settings }: Turn): AppliedQuorum {
  const { durability } = settings;
  const names = members.flatMap(({ name }) => (name === self.name ? [] : [name]));
  if (durability.kind === "async" || names.length === 0) return NO_QUORUM;
  return { count: Math.min(durability.count, names.length), names };
}

/**
 * Until the record calls it the primary, the promoted server acknowledges nothing: if it is gone by then, nobody was told of what
 * it wrote, and the next candidate need not ask for it. Replicas that have followed it all along would acknowledge at once.
 */
function promote(turn: Turn, role: Leader, record: ClusterRecord, facts: ServerFacts): void {
  if (isLate(turn, role)) return giveUp(turn, role);
  const quorum = NOTHING_ACKNOWLEDGED;
  if (facts.role === "primary" && facts.running) {
    const fork = facts.fork < record.fork ? facts.fork : record.fork;
    const { term, server } = record;
    const terms = withTerm(record.terms, { term, server, timeline: facts.timeline, fork });
    const starts = startedByPromotion(record, facts);
    const quorumNow = published(firstQuorum(turn));
    enter(turn, "running", { fork, terms, flushed: facts.lsn, quorum: quorumNow, ...starts });
  } else if (!facts.running) order(turn, { kind: "start" });
  else if (!sameQuorum(facts.quorum, quorum)) order(turn, { kind: "quorum", ...quorum });
  else order(turn, { kind: "promote", term: record.term, timeline: timelineOf(record) });
}

function run(turn: Turn, role: Leader, record: ClusterRecord, facts: ServerFacts): void {
  if (!facts.running || facts.role !== "primary") return enter(turn, "recovering");
  // Told beforehand, so that routers look often by the time that writes have to wait.
  const successor = role.handover?.to ?? null;
  if (record.successor !== successor) enter(turn, "running", { successor });
  else if (role.handover !== undefined) carryOut(turn, advanceHandover(turn, role.handover, facts));
  else keepQuorum(turn, record, facts);
}

/**
 * A crashed server starts again as the primary it was. In quorum mode its log may have more than was acknowledged, which readers
 * would see now: writes and reads wait until that is on the quorum's disks.
 */
function recover(turn: Turn, role: Leader, record: ClusterRecord, facts: ServerFacts): void {
  if (isLate(turn, role)) return giveUp(turn, role);
  if (!facts.running) {
    order(turn, { kind: "start" });
    return;
  }
  if (facts.role !== "primary") return giveUp(turn, role);
  if (sameQuorum(facts.quorum, NOTHING_ACKNOWLEDGED)) {
    order(turn, { kind: "quorum", ...firstQuorum(turn) });
    return;
  }
  if (role.recovered === undefined) return set(turn, { role: { ...role, recovered: facts.lsn } });
  if (hasQuorum(facts.quorum, facts.replicas, role.recovered))
    enter(turn, "running", {
      flushed: facts.lsn,
      successor: null,
      quorum: record.quorum,
      ...startedAgain(record, facts),
    });
}

/** Whoever has most log and comes first by name would win again, with the same disk that is full, while others wait for it. */
function giveUp(turn: Turn, role: Leader): void {
  report(turn, { kind: "fenced", reason: "does-not-start" });
  const standsBackUntilMs = turn.nowMs + turn.settings.ttlMs * STAND_BACK_LEASES;
  set(turn, { standsBackUntilMs, role: { ...role, resigning: true, handover: undefined } });
}

/** Fences the server, then gives the lease back, so that nobody waits until it is over. */
function resign(turn: Turn, record: ClusterRecord, facts: ServerFacts): void {
  const { busy } = turn.state;
  if (facts.role === "primary" || busy !== undefined) {
    if (busy?.kind !== "freeze") order(turn, { kind: "freeze" }); // also ends a promotion under way
    return;
  }
  if (record.phase !== "released")
    enter(turn, "released", { flushed: facts.lsn, end: facts.lsn, successor: null });
  else set(turn, { role: { kind: "follower" } });
}

function carryOut(turn: Turn, step: HandoverStep): void {
  const { role, facts } = turn.state;
  if (role.kind !== "leader" || facts === undefined) return;
  switch (step.kind) {
    case "none":
      return;
    case "hold":
      return enter(turn, "switching-over");
    case "release":
      return enter(turn, "released", { flushed: facts.lsn, end: facts.lsn, successor: step.to });
    case "end":
      set(turn, { role: { ...role, handover: undefined } });
      return;
    case "take-back":
      set(turn, { role: { ...role, handover: undefined } });
      return enter(turn, "recovering");
  }
}

/** Keeps the quorum to those that stream. */
function keepQuorum(turn: Turn, record: ClusterRecord, facts: ServerFacts): void {
  const { role } = turn.state;
  if (role.kind !== "leader" || turn.state.busy !== undefined) return;
  const wanted = wantedQuorum(turn, role, facts);
  const { quorum: applied, replicas } = facts;
  const state = { applied, recorded: record.quorum, replicas, since: role.quorumSince };
  carryOutQuorum(turn, quorumStep(state, wanted));
}

function carryOutQuorum(turn: Turn, step: QuorumStep): void {
  if (step.kind === "publish") enter(turn, "running", { quorum: step.quorum });
  else if (step.kind === "apply") order(turn, { kind: "quorum", ...step.quorum });
}

function wantedQuorum(turn: Turn, role: Leader, facts: ServerFacts): AppliedQuorum {
  const { durability, absentMs } = turn.settings;
  if (durability.kind === "async") return NO_QUORUM;
  const since = turn.nowMs - absentMs;
  const isThere = (name: string): boolean => (role.seen[name] ?? -Infinity) > since;
  const names = firstQuorum(turn).names.filter(isThere);
  if (names.length >= durability.count) return { count: durability.count, names };
  if (!durability.strict) return { count: names.length, names };
  return facts.quorum.count === durability.count ? facts.quorum : firstQuorum(turn);
}

/** Notes who streams; a replica that has just gone still counts for a while. */
export function noteReplicas(turn: Turn): void {
  const { role, facts } = turn.state;
  if (role.kind !== "leader" || facts === undefined || facts.replicas.length === 0) return;
  const now = Object.fromEntries(facts.replicas.map(({ name }) => [name, turn.nowMs]));
  set(turn, { role: { ...role, seen: { ...role.seen, ...now } } });
}

/** The record has another phase than before. */
export function notePhase(turn: Turn, before: Phase | undefined): void {
  const { role, watch } = turn.state;
  if (role.kind !== "leader" || watch === undefined || watch.record.phase === before) return;
  set(turn, { role: { ...role, sinceMs: turn.nowMs, recovered: undefined } });
  if (watch.record.phase === "running") report(turn, { kind: "running", term: role.term });
}

/** A write of the leader's has succeeded, which was sent at `sentMs`: it may act for longer. */
export function leaderWritten(turn: Turn, sentMs: number): void {
  const { role, watch, facts } = turn.state;
  if (role.kind !== "leader" || watch === undefined) return;
  const { ttlMs, marginMs } = turn.settings;
  const validUntilMs = sentMs + ttlMs - marginMs;
  set(turn, { role: { ...role, validUntilMs } });
  const isPrimary = facts?.role === "primary" || watch.record.phase === "promoting";
  if (isPrimary) turn.orders.push({ kind: "lease", term: role.term, validMs: validUntilMs - turn.nowMs });
}

/** Becomes the leader of the term that was just written. */
export function becomeLeader(turn: Turn, sentMs: number): void {
  const { watch, facts } = turn.state;
  if (watch === undefined) return;
  const role: Leader = {
    kind: "leader",
    term: watch.record.term,
    validUntilMs: sentMs,
    sinceMs: turn.nowMs,
    recovered: undefined,
    quorumSince: facts?.lsn ?? 0n,
    seen: Object.fromEntries(turn.members.map(({ name }) => [name, turn.nowMs])),
    handover: undefined,
    resigning: false,
  };
  set(turn, { role });
  leaderWritten(turn, sentMs);
}
