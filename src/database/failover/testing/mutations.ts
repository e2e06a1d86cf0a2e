/**
 * Rules taken away, one at a time: a simulation that does not notice has proved nothing. Each stands between production's code
 * and its world, so that the code has no switches for it.
 */
import type { Gate } from "../gate.ts";
import type { MemberEvent, ServerOrder } from "../state.ts";
import type { Stored, Watch } from "../watch.ts";

/** What is changed on the way. */
export interface Mutation {
  readonly order?: (order: ServerOrder) => "skipped" | undefined;
  readonly event?: (event: MemberEvent, self: string) => MemberEvent;
  readonly gate?: (gate: Gate, watch: Watch | undefined) => Gate;
  /** Routers pass every answer on, whatever the record says. */
  readonly passesAll?: boolean;
  /** A promotion begins the next timeline, which another server may have begun in a term that never ran. */
  readonly takesAnyTimeline?: boolean;
  /** Postgres waits for nobody, whatever it is set to. */
  readonly acknowledgesAlone?: boolean;
  /** The store takes any write, whatever revision it was meant to replace. */
  readonly writesBlindly?: boolean;
  /** A witness that began with nothing vouches for what it has not got yet. */
  readonly vouchesAtOnce?: boolean;
}

export const NO_MUTATION: Mutation = {};

export type MutationName =
  | "skip-self-fence"
  | "wrong-candidate"
  | "no-drain"
  | "no-votes"
  | "vote-without-promise"
  | "release-hold-early"
  | "pass-all-answers"
  | "any-timeline"
  | "no-quorum"
  | "blind-write";

/** Name -> the rule that is missing. */
export const MUTATIONS: Readonly<Record<MutationName, Mutation>> = {
  /** A primary goes on when its lease is over. */
  "skip-self-fence": { order: (order) => (order.kind === "freeze" ? "skipped" : undefined) },
  /** A candidate takes itself for the one with most log. */
  "wrong-candidate": {
    event: (event) =>
      event.kind === "answered" && event.answer.kind === "position"
        ? { ...event, answer: { ...event.answer, lsn: 0n, heard: 0n } }
        : event,
  },
  /** What the old primary had is said to be taken, and is not. */
  "no-drain": { order: (order) => (order.kind === "drain" ? "skipped" : undefined) },
  /** A candidate needs no votes. */
  "no-votes": {
    event: (event, self) =>
      event.kind === "store" && event.reply.kind === "stored" && event.reply.stored.record.server !== self
        ? { ...event, reply: { ...event.reply, stored: withoutQuorum(event.reply.stored) } }
        : event,
  },
  /** A voter goes on taking log from the old primary. */
  "vote-without-promise": {
    event: (event) =>
      event.kind === "facts" || event.kind === "done"
        ? { ...event, facts: { ...event.facts, upstream: undefined } }
        : event,
    order: (order) => (order.kind === "detach" ? "skipped" : undefined),
  },
  /** Writes go on before the record says that the primary is one, and their answers after its lease is over. */
  "release-hold-early": {
    gate: (gate, watch) =>
      gate.kind === "open" || watch === undefined
        ? gate
        : { kind: "open", server: watch.record.server, term: watch.record.term, untilMs: Infinity },
    passesAll: true,
  },
  "pass-all-answers": { passesAll: true },
  "any-timeline": { takesAnyTimeline: true },
  "no-quorum": { acknowledgesAlone: true },
  "blind-write": { writesBlindly: true },
};

/** Rules that chance seldom puts to the test: a script of their own does. */
export const SCRIPTED_MUTATIONS: Readonly<Record<"hasty-witness" | "fork-ignored", Mutation>> = {
  /** A witness votes on the word of a new disk. */
  "hasty-witness": { vouchesAtOnce: true },
  /** Whoever has heard of the newest timeline is taken for one that has all that lies before it. */
  "fork-ignored": {
    event: (event) =>
      (event.kind === "facts" || event.kind === "done") && event.facts.lsn < event.facts.fork
        ? { ...event, facts: { ...event.facts, lsn: event.facts.fork } }
        : event,
  },
};

function withoutQuorum({ record, revision }: Stored): Stored {
  return { record: { ...record, quorum: null }, revision };
}
