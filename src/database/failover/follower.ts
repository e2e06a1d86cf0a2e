/**
 * A member without the lease: its server is a replica, of the primary that the record names or of nobody. It notices when the
 * lease is over, and is a candidate then.
 */
import { unfitness } from "./election.ts";
import { standingOf } from "./record.ts";
import { order, read, report, set, type Turn, write } from "./state.ts";
import { isOver, nextLookMs } from "./watch.ts";

/** What a member does that has just started: it goes on as a leader only with the store's consent. */
export function advanceStarting(turn: Turn, sinceMs: number): void {
  const { watch, facts, request } = turn.state;
  const isPrimary = facts?.role === "primary";
  if (facts !== undefined && watch !== undefined) {
    const { server, phase } = watch.record;
    const mayResume = isPrimary && server === turn.self.name && phase !== "released" && phase !== "promoting";
    if (!mayResume) return set(turn, { role: { kind: "follower" } });
    if (request?.purpose !== "resume") write(turn, "resume", watch.record);
  }
  if (isPrimary && turn.nowMs >= sinceMs + turn.settings.adoptMs) {
    if (facts.running) report(turn, { kind: "fenced", reason: "no-lease" });
    order(turn, { kind: "freeze" });
    set(turn, { role: { kind: "follower" } });
  } else look(turn);
}

/** Looks at the record when it is time to. */
export function look(turn: Turn): void {
  const { watch, failedMs } = turn.state;
  const lastMs = Math.max(watch?.sentMs ?? -Infinity, failedMs);
  if (turn.nowMs >= lastMs + nextLookMs(watch, turn.settings)) read(turn);
}

/** What a follower does. */
export function advanceFollower(turn: Turn): void {
  look(turn);
  const { facts, busy } = turn.state;
  if (facts === undefined) return;
  if (facts.role === "primary") {
    if (busy?.kind === "freeze") return;
    if (facts.running) report(turn, { kind: "fenced", reason: "no-lease" });
    order(turn, { kind: "freeze" });
    return;
  }
  if (busy !== undefined) return;
  if (isPromised(turn) && facts.upstream !== undefined) {
    order(turn, { kind: "detach" });
    return;
  }
  if (isUnfinished(turn)) return;
  const primary = primaryToFollow(turn);
  // An agent that has just started may have promised before that it takes nothing from this one.
  if (primary !== undefined && primary !== facts.upstream && !hasMoved(turn)) return;
  if (!facts.running)
    order(turn, primary === undefined ? { kind: "start" } : { kind: "rejoin", server: primary });
  else if (primary !== undefined) follow(turn, primary);
  else if (mayCampaign(turn)) campaign(turn);
}

/** It took the lease and did not hear of it: it goes on, if its log is still the one that it took it with. */
function isUnfinished(turn: Turn): boolean {
  const { watch, facts, request } = turn.state;
  if (watch === undefined || facts?.running !== true || facts.upstream !== undefined) return false;
  const { record } = watch;
  if (record.phase !== "promoting" || record.server !== turn.self.name || facts.lsn !== record.fork)
    return false;
  if (request?.purpose !== "resume") write(turn, "resume", record);
  return true;
}

/** Whether it has promised a candidate to take nothing from a primary for now. */
export function isPromised({ state }: Turn): boolean {
  return state.promise > 0 && (state.watch === undefined || state.watch.revision <= state.promise);
}

function primaryToFollow(turn: Turn): string | undefined {
  const { watch, facts } = turn.state;
  if (watch === undefined || isOver(watch, turn.settings) || isPromised(turn)) return undefined;
  const { phase, server } = watch.record;
  // One that starts again waits for its replicas to have what it recovered, so they may not wait for it. A rejoin needs it running: until
  // then a replica runs alone, but for one that has to rejoin in any case.
  const mayFollow = facts?.running === true || isDiverged(turn);
  const isThere = phase === "running" || (phase === "recovering" && mayFollow);
  return isThere && server !== turn.self.name ? server : undefined;
}

function isDiverged({ self, state: { watch, facts } }: Turn): boolean {
  if (watch === undefined || facts === undefined || self.kind === "witness") return false;
  return standingOf(watch.record, self.name, facts).kind === "diverged";
}

/** Whether the record was seen to change: its holder is alive, and elections of before are over. */
function hasMoved({ state }: Turn): boolean {
  return state.watch !== undefined && state.watch.notBeforeMs > -Infinity;
}

function follow(turn: Turn, primary: string): void {
  const { facts, watch } = turn.state;
  if (facts === undefined || watch === undefined) return;
  const standing = standingOf(watch.record, turn.self.name, facts);
  const isWitness = turn.self.kind === "witness"; // begins anew by itself, where the histories part
  if (!isWitness && (standing.kind === "diverged" || facts.stuck)) {
    if (standing.kind === "diverged") report(turn, { kind: "loss-found", bytes: standing.bytes });
    order(turn, { kind: "stop" }); // and rejoins when it has stopped
  } else if (facts.upstream !== primary) order(turn, { kind: "follow", server: primary });
}

function mayCampaign(turn: Turn): boolean {
  const { watch, facts } = turn.state;
  if (watch === undefined || facts === undefined || !isOver(watch, turn.settings)) return false;
  if (turn.nowMs < turn.state.standsBackUntilMs) return false;
  if (unfitness(turn.self, watch.record, facts) !== undefined) return false;
  const { successor } = watch.record;
  const isForAnother =
    watch.record.phase === "released" && successor !== null && successor !== turn.self.name;
  return !isForAnother || turn.nowMs >= watch.seenMs + turn.settings.asideMs;
}

function campaign(turn: Turn): void {
  const { watch } = turn.state;
  if (watch === undefined) return;
  report(turn, { kind: "campaign", term: watch.record.term + 1 });
  const { revision } = watch;
  const firstId = turn.state.nextId;
  const role = {
    kind: "candidate",
    revision,
    firstId,
    sinceMs: turn.nowMs,
    askedMs: -Infinity,
    answers: {},
  } as const;
  const nothing = { drainedMs: {}, draining: undefined, diskEnd: undefined, refused: undefined };
  set(turn, { promise: Math.max(turn.state.promise, revision), role: { ...role, ...nothing } });
}
