/**
 * A planned switchover, as the primary carries it out: ask the candidate, write a checkpoint while clients go on, hold writes,
 * stop in order (which sends replicas all there is), wait until the candidate has it, give the lease to it. Until the lease is
 * given the primary can take it all back.
 */
import type { Lsn } from "../../pgwire/index.ts";
import { unfitness } from "./election.ts";
import type { ServerFacts } from "./facts.ts";
import type { Answer } from "./questions.ts";
import { bytesBetween } from "./record.ts";
import { ask, type Handover, type NoSwitchover, order, report, set, type Turn } from "./state.ts";
import { EAGER_MS } from "./watch.ts";

/** What the leader shall write. */
export type HandoverStep =
  | { readonly kind: "none" | "end" | "hold" | "take-back" }
  | { readonly kind: "release"; readonly to: string };

const NONE: HandoverStep = { kind: "none" };

/** A candidate that lacks more than this would keep writes waiting for too long. */
const LAG_BYTES_MAX = 16 * 1024 * 1024;

/** While writes wait, each question costs a round trip and each pause costs clients as much. */
const ASK_MS = 20;

/** Begins a switchover, or says why not. */
export function beginHandover(turn: Turn, to: string): void {
  const refusal = refusalOf(turn, to);
  if (refusal !== undefined) return report(turn, { kind: "switchover", to, outcome: refusal });
  const { role } = turn.state;
  if (role.kind !== "leader") return;
  const handover: Handover = { to, sinceMs: turn.nowMs, askedMs: -Infinity, stage: "asking", reached: 0n };
  report(turn, { kind: "switchover", to, outcome: "begun" });
  set(turn, { role: { ...role, handover } });
}

function refusalOf({ state, self, members }: Turn, to: string): NoSwitchover | undefined {
  const { role, watch } = state;
  if (role.kind !== "leader" || watch?.record.phase !== "running") return "not-primary";
  if (role.handover !== undefined || role.resigning) return "busy";
  const member = members.find(({ name }) => name === to);
  if (member === undefined || to === self.name) return "unknown-member";
  if (member.kind === "witness") return "witness";
  return member.priority > 0 ? undefined : "priority-zero";
}

/** The next step. */
export function advanceHandover(turn: Turn, handover: Handover, facts: ServerFacts): HandoverStep {
  const isLate = turn.nowMs >= handover.sinceMs + turn.settings.handoverMs;
  switch (handover.stage) {
    case "asking":
      if (isLate) return refused(turn, handover, "candidate-silent");
      askCandidate(turn, handover, turn.settings.voteMs);
      return NONE;
    case "checkpoint":
      if (isLate) return refused(turn, handover, "busy");
      if (order(turn, { kind: "checkpoint" })) advanceTo(turn, { ...handover, stage: "holding" });
      return NONE;
    case "holding":
      if (isKnownToRouters(turn)) advanceTo(turn, { ...handover, stage: "stopping", askedMs: -Infinity });
      else if (isLate) return refused(turn, handover, "store-unreachable");
      return turn.state.busy === undefined && !isHeld(turn) ? { kind: "hold" } : NONE;
    case "stopping":
      return stopping(turn, handover, facts, isLate);
    case "releasing":
      return { kind: "release", to: handover.to };
    case "aborting":
      return { kind: "take-back" };
  }
}

function isHeld({ state }: Turn): boolean {
  return state.watch?.record.phase === "switching-over";
}

/** Routers look often since the successor is named, so all have looked since. A server that stops breaks off what was sent to it. */
function isKnownToRouters(turn: Turn): boolean {
  const { watch } = turn.state;
  return isHeld(turn) && turn.nowMs >= (watch?.seenMs ?? 0) + EAGER_MS;
}

function stopping(turn: Turn, handover: Handover, facts: ServerFacts, isLate: boolean): HandoverStep {
  if (isLate) {
    report(turn, { kind: "switchover", to: handover.to, outcome: "candidate-behind" });
    advanceTo(turn, { ...handover, stage: "aborting" });
    return { kind: "take-back" };
  }
  if (facts.running) {
    order(turn, { kind: "stop" });
    return NONE;
  }
  if (handover.reached < facts.lsn) {
    askCandidate(turn, handover, ASK_MS);
    return NONE;
  }
  report(turn, { kind: "switchover", to: handover.to, outcome: "released" });
  advanceTo(turn, { ...handover, stage: "releasing" });
  return { kind: "release", to: handover.to };
}

function advanceTo(turn: Turn, handover: Handover): void {
  const { role } = turn.state;
  if (role.kind === "leader") set(turn, { role: { ...role, handover } });
}

function refused(turn: Turn, { to }: Handover, outcome: NoSwitchover): HandoverStep {
  report(turn, { kind: "switchover", to, outcome });
  return { kind: "end" };
}

function askCandidate(turn: Turn, handover: Handover, everyMs: number): void {
  if (turn.nowMs < handover.askedMs + everyMs) return;
  ask(turn, handover.to, { kind: "position" });
  advanceTo(turn, { ...handover, askedMs: turn.nowMs });
}

/** The candidate's answer. */
export function handoverAnswered(turn: Turn, from: string, answer: Answer): void {
  const { role, facts, watch } = turn.state;
  if (role.kind !== "leader" || role.handover?.to !== from || answer.kind !== "position") return;
  const { handover } = role;
  const member = turn.members.find(({ name }) => name === from);
  if (member === undefined || facts === undefined || watch === undefined) return;
  const problem =
    unfitness(member, watch.record, answer) ?? lagProblem(answer.lsn, facts.lsn, answer.canLead);
  if (handover.stage === "asking") {
    if (problem === undefined) return advanceTo(turn, { ...handover, stage: "checkpoint" });
    report(turn, { kind: "switchover", to: from, outcome: problem });
    set(turn, { role: { ...role, handover: undefined } });
  } else if (handover.stage === "stopping" && problem === undefined)
    advanceTo(turn, { ...handover, reached: answer.lsn });
}

function lagProblem(own: Lsn, primary: Lsn, canLead: boolean): NoSwitchover | undefined {
  if (!canLead) return "candidate-silent";
  return bytesBetween(own, primary) > LAG_BYTES_MAX ? "candidate-behind" : undefined;
}
