/** What a router and its worker processes tell each other: JSON over the pipe that a worker is started with. */

import type {
  ClusterView,
  ConsoleReply,
  DurationCounts,
  FailoverSettings,
  PausedNames,
  StateDetail,
  WorkerState,
} from "../../database/index.ts";
import type { Counters, PoolStatus, RouterSettings } from "../../database/io/index.ts";

/** What a worker serves by. Holds passwords, so it is never an argument of a command line. */
export interface WorkerOrder {
  readonly settings: RouterSettings;
  readonly view: ClusterView;
  readonly lease?: RouterLease;
}

/** The lease of a cluster that fails over: it says who is primary, whatever the view says. */
export interface RouterLease {
  /** As of `FailoverOptions`. */
  readonly store: string;
  readonly cluster: string;
  readonly times: FailoverSettings;
  /** Longest wait for a primary, and how many clients of one worker may wait. */
  readonly hold: { readonly ms: number; readonly max: number };
}

/** A cancel request that the kernel gave to the wrong worker. */
export interface CancelNote {
  readonly kind: "cancel";
  readonly workerId: number;
  readonly processId: number;
  /** In hexadecimal. */
  readonly secret: string;
}

/** Where a worker stands. */
export interface WorkerReport {
  readonly counters: Readonly<Counters>;
  readonly pools: readonly PoolStatus[];
  /** Reason -> batches of statements that went where they went for it. */
  readonly reads: readonly (readonly [string, number])[];
  /** SQLSTATE -> errors of the router's own that clients got. */
  readonly refusals: readonly (readonly [string, number])[];
  /** Reason -> pins. */
  readonly pins: readonly (readonly [string, number])[];
  readonly waitTimes: DurationCounts;
  readonly queryTimes: DurationCounts;
  /** For the console, if it asked. */
  readonly state?: WorkerState;
}

/** What the console has all workers do. */
export type ConsoleOrder =
  | { readonly kind: "pause"; readonly names: PausedNames }
  | { readonly kind: "reconnect"; readonly database?: string }
  | { readonly kind: "kill"; readonly database: string };

/** To a worker. */
export type ToWorker =
  | ConsoleOrder
  | { readonly kind: "console-reply"; readonly id: number; readonly reply: ConsoleReply }
  | { readonly kind: "start"; readonly order: WorkerOrder }
  | { readonly kind: "configure"; readonly order: WorkerOrder }
  | { readonly kind: "report"; readonly id: number; readonly detail?: StateDetail }
  | { readonly kind: "drain"; readonly deadlineMs: number }
  | CancelNote;

/** From a worker. */
export type FromWorker =
  | { readonly kind: "serving"; readonly port: number; readonly transport: string }
  | { readonly kind: "failed"; readonly error: string }
  | { readonly kind: "report"; readonly id: number; readonly report: WorkerReport }
  /** A client of the console has said something. */
  | { readonly kind: "console"; readonly id: number; readonly text: string }
  | CancelNote;
