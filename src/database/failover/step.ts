/**
 * The state machine of a member: `stepMember(state, event) -> {state, orders}`. Pure; who carries the orders out is elsewhere, and
 * so a simulation runs this very code.
 *
 * Whatever the event, the clock is looked at first: an agent that was stopped in its tracks for a minute fences its server
 * before it does anything else.
 */
import { advanceCandidate, candidateDone } from "./candidate.ts";
import { unfitness } from "./election.ts";
import { advanceFollower, advanceStarting, isPromised } from "./follower.ts";
import { beginHandover, handoverAnswered } from "./handover.ts";
import { advanceLeader, becomeLeader, leaderWritten, notePhase, noteReplicas } from "./leader.ts";
import type { StoreReply } from "./lease-store.ts";
import type { Answer, Question } from "./questions.ts";
import {
  fence,
  type MemberContext,
  type MemberEvent,
  type MemberOrder,
  type MemberState,
  report,
  set,
  type Turn,
} from "./state.ts";
import { observe, written } from "./watch.ts";

/** A request without an answer for this long is given up; its outcome is unknown then. As a share of the lease. */
const REQUEST_SHARE = 0.2;

/** After an order that failed the server is left alone for this long. */
const RETRY_MS = 300;

/** A candidate reaches the store if it had an answer within so many polls. */
const POLLS_REACHED = 4;

/** The state after the event, and what to do. */
export function stepMember(
  state: MemberState,
  event: MemberEvent,
  context: MemberContext,
): { readonly state: MemberState; readonly orders: readonly MemberOrder[] } {
  const turn: Turn = { ...context, state, orders: [] };
  const { role } = state;
  if (role.kind === "leader" && turn.nowMs >= role.validUntilMs) fence(turn, "lease-over");
  expireRequest(turn);
  take(turn, event);
  advance(turn);
  answerBallots(turn);
  return { state: turn.state, orders: turn.orders };
}

function expireRequest(turn: Turn): void {
  const { request } = turn.state;
  if (request === undefined || turn.nowMs < request.sentMs + turn.settings.ttlMs * REQUEST_SHARE) return;
  set(turn, { request: undefined, failedMs: turn.nowMs });
}

function take(turn: Turn, event: MemberEvent): void {
  switch (event.kind) {
    case "tick":
      return;
    case "facts":
      set(turn, { facts: event.facts });
      return noteReplicas(turn);
    case "store":
      return storeReplied(turn, event.id, event.reply);
    case "done":
      return orderDone(turn, event);
    case "asked":
      return asked(turn, event.from, event.question);
    case "answered":
      return answered(turn, event.from, event.answer);
    case "switchover":
      return beginHandover(turn, event.to);
  }
}

function advance(turn: Turn): void {
  const { role } = turn.state;
  switch (role.kind) {
    case "starting":
      return advanceStarting(turn, role.sinceMs);
    case "follower":
      return advanceFollower(turn);
    case "candidate":
      return advanceCandidate(turn, role);
    case "leader":
      return advanceLeader(turn, role);
  }
}

function storeReplied(turn: Turn, id: number, reply: StoreReply): void {
  const { request, watch } = turn.state;
  if (request?.id !== id) return; // given up, or of an earlier life
  set(turn, { request: undefined });
  if (reply.kind === "failed") return set(turn, { failedMs: turn.nowMs });
  const { sentMs, purpose } = request;
  const before = watch?.record.phase;
  const isWritten = purpose !== "read" && reply.kind === "stored";
  const next = isWritten
    ? written(reply.stored, sentMs, turn.nowMs)
    : observe(watch, reply.stored, sentMs, turn.nowMs);
  set(turn, { watch: next });
  notePhase(turn, before);
  if (!isWritten) return;
  if (purpose === "lead") return leaderWritten(turn, sentMs);
  const { term, fork, loss, phase } = reply.stored.record;
  if (phase === "promoting" && loss !== null) report(turn, { kind: "taken", term, fork, loss });
  becomeLeader(turn, sentMs);
}

function orderDone(turn: Turn, event: Extract<MemberEvent, { kind: "done" }>): void {
  const { busy, role } = turn.state;
  set(turn, { facts: event.facts });
  noteReplicas(turn);
  if (busy?.id !== event.id) return; // overtaken
  const retryMs = event.outcome.kind === "failed" ? turn.nowMs + RETRY_MS : 0;
  set(turn, { busy: undefined, retryMs });
  if (role.kind === "candidate") candidateDone(turn, role, event.outcome);
  if (role.kind === "leader" && busy.kind === "quorum") {
    const now = turn.state.role;
    if (now.kind === "leader") set(turn, { role: { ...now, quorumSince: event.facts.lsn } });
  }
}

function asked(turn: Turn, from: string, question: Question): void {
  const { role, watch, facts } = turn.state;
  const { id } = question;
  if (question.kind === "position") {
    if (facts !== undefined) send(turn, from, position(turn, id));
    return;
  }
  const { revision } = question;
  if (role.kind === "leader") return send(turn, from, { kind: "refused", id, reason: "lease-held" });
  if (watch !== undefined && watch.revision > revision)
    return send(turn, from, { kind: "refused", id, reason: "stale-revision" });
  const others = turn.state.ballots.filter((ballot) => ballot.from !== from);
  set(turn, {
    promise: Math.max(turn.state.promise, revision),
    ballots: [...others, { from, id, revision }],
  });
}

/** Once the server takes nothing from a primary any more, and is none, the promise is kept: its position is final. */
function answerBallots(turn: Turn): void {
  refuseBallots(turn);
  const { facts, ballots, role, busy } = turn.state;
  if (facts === undefined || ballots.length === 0) return;
  const isFinal = facts.role === "replica" && facts.upstream === undefined && isPromised(turn);
  const isMoving = role.kind === "candidate" && role.draining !== undefined;
  if (!isFinal || isMoving || busy?.kind === "follow" || busy?.kind === "rejoin") return;
  for (const { from, id } of ballots) send(turn, from, position(turn, id));
  set(turn, { ballots: [] });
}

/** Those that cannot win any more. */
function refuseBallots(turn: Turn): void {
  const { ballots, role, watch } = turn.state;
  const isLost = ({ revision }: { readonly revision: number }): boolean =>
    role.kind === "leader" || (watch !== undefined && watch.revision > revision);
  const reason = role.kind === "leader" ? "lease-held" : "stale-revision";
  for (const { from, id } of ballots.filter(isLost)) send(turn, from, { kind: "refused", id, reason });
  set(turn, { ballots: ballots.filter((ballot) => !isLost(ballot)) });
}

function position(turn: Turn, id: number): Answer {
  const { facts, watch, standsBackUntilMs } = turn.state;
  if (facts === undefined) throw new Error("a position is told when it is known");
  const { timeline, lsn, heard, running } = facts;
  const reachedMs = watch?.sentMs ?? -Infinity;
  const reaches = turn.nowMs - reachedMs < turn.settings.pollMs * POLLS_REACHED;
  const isFit = watch !== undefined && unfitness(turn.self, watch.record, facts) === undefined;
  const canLead = running && reaches && isFit && turn.nowMs >= standsBackUntilMs;
  return { kind: "position", id, timeline, lsn, heard, running, canLead };
}

function send(turn: Turn, to: string, answer: Answer): void {
  turn.orders.push({ kind: "answer", to, answer });
}

function answered(turn: Turn, from: string, answer: Answer): void {
  const { role } = turn.state;
  if (role.kind === "candidate" && answer.kind === "position" && answer.id >= role.firstId)
    set(turn, { role: { ...role, answers: { ...role.answers, [from]: answer } } });
  handoverAnswered(turn, from, answer);
}
