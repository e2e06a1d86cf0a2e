/**
 * What an agent can be told to do with its server, and what it answers; the words between agents and whoever decides.
 *
 * Orders are carried out one after the other. Each is safe to repeat: what is done already is "done".
 */
import type { ControlState } from "./control-file.ts";
import type { FailoverStatus } from "./failover/status.ts";
import type { Upstream } from "./server-settings.ts";
import type { DatabaseServerView } from "./server-view.ts";

/** Another server of the cluster, as source of a clone or a rewind. */
export interface ServerSource {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Its data directory, where this agent can read it: the same machine, or a shared disk. Without: copies come over the network. */
  readonly data?: string;
}

/** How a server is stopped. "smart" is missing on purpose: it waits for clients, for ever. */
export type StopMode = "fast" | "immediate";

/**
 * One thing to do. `term` is the primary's: it grows with each promotion, and an agent does nothing of a term below one that it
 * has seen, so that whoever was replaced as a decider decides nothing any more.
 */
export type Order =
  | { readonly kind: "start" }
  /** An orderly stop and a start, for settings that need one. */
  | { readonly kind: "restart" }
  | { readonly kind: "stop"; readonly mode: StopMode }
  /** Ends it at once and for good: it may come back as a replica only. Its log can be drained. */
  | { readonly kind: "freeze" }
  /** Of a replica; `term` must be above any that it has seen, unless its lease is of that term. */
  | {
      readonly kind: "promote";
      readonly term: number;
      /** The timeline that it begins has this number or a higher one; default: the next one. */
      readonly timeline?: number;
    }
  /** Of a replica, while it runs; a stopped one is started. */
  | { readonly kind: "follow"; readonly term: number; readonly upstream: Upstream }
  /** Of a primary: an orderly stop, which leaves nothing unsent, then a start as a replica. */
  | { readonly kind: "demote"; readonly term: number; readonly upstream: Upstream }
  /** Follow, rewind or clone, whichever is needed. */
  | { readonly kind: "rejoin"; readonly term: number; readonly source: ServerSource }
  | { readonly kind: "rewind"; readonly term: number; readonly source: ServerSource }
  | { readonly kind: "reclone"; readonly term: number; readonly source: ServerSource }
  /** Of a replica: follow nobody; when it is done nothing arrives any more. */
  | { readonly kind: "detach" }
  | { readonly kind: "checkpoint" }
  /**
   * Takes from a dead server's data directory what this replica has not got; with `timeline` only what is of that one and
   * those before it.
   */
  | { readonly kind: "drain"; readonly data: string; readonly timeline?: number }
  /** `ANY count (names)`; count 0 = commits wait for nobody. Of a replica: what it will wait for when it is promoted. */
  | { readonly kind: "quorum"; readonly count: number; readonly names: readonly string[] }
  /** Of a primary: exactly these slots of replicas. */
  | { readonly kind: "slots"; readonly servers: readonly string[] }
  /** The right to be primary for `validMs` from now on; the server is fenced when it runs out. */
  | { readonly kind: "lease"; readonly term: number; readonly validMs: number }
  /** With `keep`, older backups than so many go afterwards, and the log that only they need. */
  | { readonly kind: "backup"; readonly label: string; readonly keep?: number };

/** Why an order was not carried out; the literal goes to log, status and console as it is. */
export type OrderProblem =
  | "not-running"
  | "running"
  | "is-primary"
  | "is-replica"
  | "stale-term"
  /** It has what the history of the other does not: it must rejoin, not follow. */
  | "diverged"
  | "lease-over"
  | "no-archive"
  /** Failover decides about this server: it takes no such order from elsewhere. */
  | "failover-decides"
  | "failed";

/** What became of an order. */
export type OrderOutcome =
  /** `detail`: figures of it, such as bytes and milliseconds. */
  | { readonly kind: "done"; readonly detail: Readonly<Record<string, string | number>> }
  | { readonly kind: "refused"; readonly reason: OrderProblem; readonly message: string };

/** What a server's process does. */
export type ServerState =
  | "absent"
  | "stopped"
  | "starting"
  | "running"
  | "stopping"
  /** Ended by itself; the agent starts it again. */
  | "crashed"
  /** Ended by its agent, since it had no right to go on. */
  | "fenced";

/** How far a long order has come. */
export interface Progress {
  readonly copiedBytes: number;
  readonly totalBytes: number;
}

/** What a witness has. Positions are text. */
export interface WitnessFacts {
  readonly timeline: number;
  /** Its log goes from `beginLsn` to `flushedLsn`, all of it on its disk. */
  readonly beginLsn: string;
  readonly flushedLsn: string;
  /** Whom it follows; null = nobody. */
  readonly upstream: string | null;
  readonly streaming: boolean;
  /** From the last word of its primary; null while it follows nobody. */
  readonly lagBytes: number | null;
  /** It has all that it can have acknowledged; until then it gives no vote. */
  readonly isWhole: boolean;
}

/** What of a server's settings does not hold, since it was told of them while it ran. */
export interface SettingsStanding {
  /** Names of those that hold from its next start on. */
  readonly waiting: readonly string[];
  /** "name: why" of those that Postgres does not take. */
  readonly refused: readonly string[];
}

/** All hold. */
export const SETTINGS_HOLD: SettingsStanding = { waiting: [], refused: [] };

/** What an agent reports. */
export interface AgentFacts {
  readonly name: string;
  readonly state: ServerState;
  readonly pid: number | null;
  /** Where clients of this machine reach it. */
  readonly host: string;
  readonly port: number;
  readonly data: string;
  /** The term of its last promotion or lease; 0 = none yet. */
  readonly term: number;
  /** What is left of the lease; null = it runs without one. */
  readonly leaseLeftMs: number | null;
  /** When `view` was read, by the wall clock; null = never. */
  readonly viewAtMs: number | null;
  readonly view: DatabaseServerView | null;
  /** What its files say while it does not run. */
  readonly stopped: {
    readonly systemIdentifier: string;
    readonly state: ControlState;
    readonly timeline: number;
  } | null;
  /** The order under way. */
  readonly order: { readonly kind: Order["kind"]; readonly progress: Progress | null } | null;
  /** Why it does not run, or the last query failed: for people. */
  readonly problem: string | null;
  readonly settings: SettingsStanding;
  /** How its cluster's failover stands; null = it has none. */
  readonly failover: FailoverStatus | null;
  /** Of a witness alone: `view` and `stopped` are null then. */
  readonly witness?: WitnessFacts;
}
