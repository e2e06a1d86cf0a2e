/**
 * The state of a member, what can happen to it, and what it orders: the words of the state machine in member-step.ts.
 *
 *   starting -> follower -> candidate -> leader -> follower (fenced, or handed over)
 *
 * A member runs beside each server. It alone decides about its server; the others are asked, and the record is written by
 * compare-and-set. All times are its own monotonic clock.
 */
import type { Lsn } from "../../pgwire/index.ts";
import type { NoPromotion } from "./election.ts";
import type { ServerFacts } from "./facts.ts";
import type { StoreReply } from "./lease-store.ts";
import type { Member } from "./member.ts";
import type { Answer, PositionAnswer, Question } from "./questions.ts";
import type { ClusterRecord, Loss } from "./record.ts";
import type { FailoverSettings } from "./settings.ts";
import type { Watch } from "./watch.ts";

/** What a server can be told. Carried out one after the other, except that `freeze` overtakes all. Safe to repeat. */
export type ServerOrder =
  /** As what it is: a stopped primary starts as a primary. */
  | { readonly kind: "start" }
  /** In order: its replicas get all it has. */
  | { readonly kind: "stop" }
  /** At once, and marked a replica: it takes no more writes, whoever starts it. */
  | { readonly kind: "freeze" }
  | { readonly kind: "checkpoint" }
  /** Follow nobody. */
  | { readonly kind: "detach" }
  | { readonly kind: "follow"; readonly server: string }
  /** A stopped server: follow, rewind or clone, whichever is needed; then it runs. */
  | { readonly kind: "rejoin"; readonly server: string }
  /**
   * Take what is missing from the directory of a server that does not run, of `timeline` and those before it alone: it may have
   * begun another. The outcome has the end of that.
   */
  | { readonly kind: "drain"; readonly server: string; readonly timeline: number }
  | { readonly kind: "quorum"; readonly count: number; readonly names: readonly string[] }
  /** The timeline that it begins has this number or a higher one. */
  | { readonly kind: "promote"; readonly term: number; readonly timeline: number };

/** What became of an order. */
export type ServerOutcome =
  | { readonly kind: "done"; readonly end?: Lsn }
  | { readonly kind: "failed"; readonly reason: string };

/** Why a server was fenced. */
export type FenceReason =
  /** The lease could not be renewed in time. */
  | "lease-over"
  /** Somebody else has a later term. */
  | "deposed"
  /** It runs as a primary and nobody gave it the right to. */
  | "no-lease"
  /** It was to be primary and does not start, or does not get promoted. */
  | "does-not-start";

/** Why a switchover was not done. */
export type NoSwitchover =
  | "not-primary"
  | "busy"
  | "unknown-member"
  | NoPromotion
  | "candidate-silent"
  | "candidate-behind"
  | "store-unreachable";

/** For log and status. */
export type Report =
  | { readonly kind: "fenced"; readonly reason: FenceReason }
  | { readonly kind: "campaign"; readonly term: number }
  | { readonly kind: "not-promoted"; readonly reason: NoPromotion }
  | { readonly kind: "taken"; readonly term: number; readonly fork: Lsn; readonly loss: Loss }
  | { readonly kind: "running"; readonly term: number }
  /** An old primary came back: exactly this much of its log is in no history. null = it cannot be told. */
  | { readonly kind: "loss-found"; readonly bytes: number | null }
  | {
      readonly kind: "switchover";
      readonly to: string;
      readonly outcome: "begun" | "released" | NoSwitchover;
    };

/** What a member wants done. */
export type MemberOrder =
  | { readonly kind: "read"; readonly id: number }
  | { readonly kind: "write"; readonly id: number; readonly record: ClusterRecord; readonly revision: number }
  | { readonly kind: "ask"; readonly to: string; readonly question: Question }
  | { readonly kind: "answer"; readonly to: string; readonly answer: Answer }
  | { readonly kind: "server"; readonly id: number; readonly order: ServerOrder }
  /** The server may be primary for `validMs` from now on; a dead-man's switch beside it ends it when that is over. */
  | { readonly kind: "lease"; readonly term: number; readonly validMs: number }
  | { readonly kind: "report"; readonly report: Report };

/** What can happen to a member. */
export type MemberEvent =
  | { readonly kind: "tick" }
  | { readonly kind: "facts"; readonly facts: ServerFacts }
  | { readonly kind: "store"; readonly id: number; readonly reply: StoreReply }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly outcome: ServerOutcome;
      readonly facts: ServerFacts;
    }
  | { readonly kind: "asked"; readonly from: string; readonly question: Question }
  | { readonly kind: "answered"; readonly from: string; readonly answer: Answer }
  /** Make `to` the primary, in peace. */
  | { readonly kind: "switchover"; readonly to: string };

/** A candidacy; ends with the lease, or when a later revision is seen. */
export interface Candidate {
  readonly kind: "candidate";
  readonly revision: number;
  /** Answers to questions before this one are of an earlier candidacy: what they promised is over. */
  readonly firstId: number;
  readonly sinceMs: number;
  readonly askedMs: number;
  readonly answers: Readonly<Record<string, PositionAnswer>>;
  /** When its log was last to be completed from each. */
  readonly drainedMs: Readonly<Record<string, number>>;
  readonly draining:
    | { readonly server: string; readonly until: Lsn | undefined; readonly sinceMs: number }
    | undefined;
  readonly diskEnd: Lsn | undefined;
  /** Told already. */
  readonly refused: NoPromotion | undefined;
}

/** A switchover under way. */
export interface Handover {
  readonly to: string;
  readonly sinceMs: number;
  readonly askedMs: number;
  readonly stage: "asking" | "checkpoint" | "holding" | "stopping" | "releasing" | "aborting";
  readonly reached: Lsn;
}

/** Holder of the lease. */
export interface Leader {
  readonly kind: "leader";
  readonly term: number;
  /** The server is fenced at this time. */
  readonly validUntilMs: number;
  /** When the phase of the record began. */
  readonly sinceMs: number;
  /** What must be on the quorum's disks before "recovering" is over. */
  readonly recovered: Lsn | undefined;
  /** End of the log when the quorum came into force. */
  readonly quorumSince: Lsn;
  /** When each replica was last seen streaming. */
  readonly seen: Readonly<Record<string, number>>;
  readonly handover: Handover | undefined;
  /** It gives the lease back as soon as its server is fenced. */
  readonly resigning: boolean;
}

/** What a member is at the moment. */
export type Role =
  | { readonly kind: "starting"; readonly sinceMs: number }
  | { readonly kind: "follower" }
  | Candidate
  | Leader;

/** A request to the store under way; one at a time. */
export interface Request {
  readonly id: number;
  readonly purpose: "read" | "resume" | "take" | "lead";
  readonly sentMs: number;
}

export interface MemberState {
  readonly role: Role;
  readonly watch: Watch | undefined;
  readonly facts: ServerFacts | undefined;
  readonly request: Request | undefined;
  /** The last request ended without an answer. */
  readonly failedMs: number;
  readonly busy: { readonly id: number; readonly kind: ServerOrder["kind"] } | undefined;
  /** A failed order is not repeated before this time. */
  readonly retryMs: number;
  /** Its server could not be made primary: until then others go first. */
  readonly standsBackUntilMs: number;
  /** It takes nothing from a primary until it sees a later revision than this; 0 = no promise. */
  readonly promise: number;
  /** Votes that are answered when the server is detached or fenced. */
  readonly ballots: readonly { readonly from: string; readonly id: number; readonly revision: number }[];
  readonly nextId: number;
}

/** What a step may look at beside the state. */
export interface MemberContext {
  readonly self: Member;
  readonly members: readonly Member[];
  readonly settings: FailoverSettings;
  /** Its monotonic clock. */
  readonly nowMs: number;
}

/** A member that has just started and knows nothing. */
export function newMember(nowMs: number): MemberState {
  return {
    role: { kind: "starting", sinceMs: nowMs },
    watch: undefined,
    facts: undefined,
    request: undefined,
    failedMs: -Infinity,
    busy: undefined,
    retryMs: 0,
    standsBackUntilMs: -Infinity,
    promise: 0,
    ballots: [],
    nextId: 1,
  };
}

/** One step under way: the state so far, and the orders so far. */
export interface Turn extends MemberContext {
  state: MemberState;
  readonly orders: MemberOrder[];
}

/** Changes some of the state. */
export function set(turn: Turn, change: Partial<MemberState>): void {
  turn.state = { ...turn.state, ...change };
}

function takeId(turn: Turn): number {
  const id = turn.state.nextId;
  set(turn, { nextId: id + 1 });
  return id;
}

/** Gives the server an order, unless it is busy; `freeze` overtakes. Returns whether it was given. */
export function order(turn: Turn, what: ServerOrder): boolean {
  const { busy, retryMs } = turn.state;
  const overtakes = what.kind === "freeze" && busy?.kind !== "freeze";
  if (!overtakes && (busy !== undefined || turn.nowMs < retryMs)) return false;
  const id = takeId(turn);
  set(turn, { busy: { id, kind: what.kind } });
  turn.orders.push({ kind: "server", id, order: what });
  return true;
}

/** Writes the record over the revision that is known, unless a request is under way. Returns whether it was sent. */
export function write(turn: Turn, purpose: "resume" | "take" | "lead", record: ClusterRecord): boolean {
  const { request, watch } = turn.state;
  if (request !== undefined || watch === undefined) return false;
  const id = takeId(turn);
  set(turn, { request: { id, purpose, sentMs: turn.nowMs } });
  turn.orders.push({ kind: "write", id, record, revision: watch.revision });
  return true;
}

/** Looks at the record, unless a request is under way. */
export function read(turn: Turn): void {
  if (turn.state.request !== undefined) return;
  const id = takeId(turn);
  set(turn, { request: { id, purpose: "read", sentMs: turn.nowMs } });
  turn.orders.push({ kind: "read", id });
}

/** Asks a member. */
export function ask(turn: Turn, to: string, question: DistributedOmit<Question, "id">): void {
  turn.orders.push({ kind: "ask", to, question: { ...question, id: takeId(turn) } });
}

type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Tells log and status. */
export function report(turn: Turn, what: Report): void {
  turn.orders.push({ kind: "report", report: what });
}

/** Ends the server's life as a primary, whatever it is doing, and goes on as a follower. */
export function fence(turn: Turn, reason: FenceReason): void {
  report(turn, { kind: "fenced", reason });
  order(turn, { kind: "freeze" });
  set(turn, { role: { kind: "follower" } });
}
