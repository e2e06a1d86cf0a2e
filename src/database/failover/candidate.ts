/**
 * A member that wants the lease: it takes nothing from the old primary any more, asks all members, completes its log from
 * whoever has more, and takes the lease when the election says that it may.
 */

import type { Lsn } from "../../pgwire/index.ts";
import { decide, type NoPromotion } from "./election.ts";
import { look } from "./follower.ts";
import type { ClusterRecord, Loss } from "./record.ts";
import { ask, type Candidate, order, report, type ServerOutcome, set, type Turn, write } from "./state.ts";

/** Streaming what is missing takes as long as the old primary was ahead; a source that stalls must not stop the election. */
const DRAIN_STALL_MS = 3_000;

/** A source that had nothing to give, or was still running, is tried again while the candidacy lasts; a take needs a moment. */
const DRAIN_AGAIN_MS = 5_000;

/** What a candidate does. */
export function advanceCandidate(turn: Turn, role: Candidate): void {
  const { watch, facts, busy, request } = turn.state;
  if (facts === undefined || watch === undefined || facts.role === "primary" || !facts.running)
    return set(turn, { role: { kind: "follower" } });
  if (watch.revision > role.revision) return set(turn, { role: { kind: "follower" } });
  if (busy !== undefined || request?.purpose === "take") return;
  if (role.draining !== undefined) return awaitDrain(turn, role);
  if (facts.upstream !== undefined) {
    order(turn, { kind: "detach" });
    return;
  }
  const { successor, end } = watch.record;
  const isChosen = successor === turn.self.name && end !== null && facts.lsn >= end;
  if (isChosen) return take(turn, watch.record, facts.lsn, { bytes: 0, exact: true });
  askAll(turn, role);
  look(turn);
  election(turn);
}

function askAll(turn: Turn, role: Candidate): void {
  if (turn.nowMs < role.askedMs + turn.settings.voteMs) return;
  for (const { name } of turn.members)
    if (name !== turn.self.name) ask(turn, name, { kind: "vote", revision: role.revision });
  set(turn, { role: { ...role, askedMs: turn.nowMs } });
}

function election(turn: Turn): void {
  const { role, watch, facts } = turn.state;
  if (role.kind !== "candidate" || watch === undefined || facts === undefined) return;
  const { self, members, settings, nowMs } = turn;
  const { answers, drainedMs, diskEnd } = role;
  const drained = Object.keys(drainedMs).filter((name) => nowMs < (drainedMs[name] ?? 0) + DRAIN_AGAIN_MS);
  const candidacy = {
    self,
    members,
    record: watch.record,
    own: facts,
    heard: facts.heard,
    answers,
    drained,
    diskEnd,
  };
  const decision = decide({ ...candidacy, elapsedMs: nowMs - role.sinceMs }, settings);
  switch (decision.kind) {
    case "wait":
    case "aside":
      return;
    case "drain-disk":
      drainDisk(turn, role, watch.record, decision.server);
      return;
    case "drain-stream":
      if (order(turn, { kind: "follow", server: decision.server }))
        draining(turn, role, decision.server, decision.until);
      return;
    case "take":
      return take(turn, watch.record, decision.fork, decision.loss);
    case "refuse":
      return refuse(turn, role, decision.reason);
  }
}

function drainDisk(turn: Turn, role: Candidate, { terms }: ClusterRecord, server: string): void {
  const timeline = terms.at(-1)?.timeline ?? 0;
  if (order(turn, { kind: "drain", server, timeline })) draining(turn, role, server, undefined);
}

function draining(turn: Turn, role: Candidate, server: string, until: Lsn | undefined): void {
  const drainedMs = { ...role.drainedMs, [server]: turn.nowMs };
  set(turn, { role: { ...role, drainedMs, draining: { server, until, sinceMs: turn.nowMs } } });
}

/** Reads of the record go on: the lease is taken over a revision that is still there. */
function awaitDrain(turn: Turn, role: Candidate): void {
  look(turn);
  const { draining: drain } = role;
  const { facts } = turn.state;
  if (drain === undefined || facts === undefined) return;
  const isOver = drain.until === undefined || facts.lsn >= drain.until;
  const isStalled = turn.nowMs >= drain.sinceMs + DRAIN_STALL_MS;
  if (isOver || isStalled || facts.stuck) set(turn, { role: { ...role, draining: undefined } });
}

/** An order of a candidate is done: a drain from a disk knows where the old log ends. */
export function candidateDone(turn: Turn, role: Candidate, outcome: ServerOutcome): void {
  if (role.draining?.until !== undefined || outcome.kind !== "done" || outcome.end === undefined) return;
  set(turn, { role: { ...role, diskEnd: outcome.end } });
}

function take(turn: Turn, record: ClusterRecord, fork: Lsn, loss: Loss): void {
  const next: ClusterRecord = {
    ...record,
    term: record.term + 1,
    server: turn.self.name,
    phase: "promoting",
    fork,
    flushed: fork,
    loss,
    successor: null,
    end: null,
  };
  write(turn, "take", next);
}

function refuse(turn: Turn, role: Candidate, reason: NoPromotion): void {
  if (role.refused === reason) return;
  report(turn, { kind: "not-promoted", reason });
  set(turn, { role: { ...role, refused: reason } });
}
