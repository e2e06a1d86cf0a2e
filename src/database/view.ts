/**
 * What routers know of a cluster: who is who, and whether writes may go on. A file that is replaced as a whole; whoever
 * reads it compares `revision` alone.
 */

/** One server as routers see it. */
export interface ServerEntry {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly role: "primary" | "replica";
  /** 0 = not known. */
  readonly timeline: number;
  /** Whether reads may go to it, as far as the cluster knows; routers measure lag and health themselves. */
  readonly eligible: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** "steady": writes go to the primary; in all other states they are held. */
export type ClusterState = "steady" | "failing-over" | "switching-over" | "no-primary";

/** A cluster at one moment. */
export interface ClusterView {
  /** Grows by one with each change. */
  readonly revision: number;
  readonly name: string;
  /** Of the primary; grows with each promotion. */
  readonly term: number;
  readonly state: ClusterState;
  /** The primary's name. */
  readonly primary: string | undefined;
  readonly servers: readonly ServerEntry[];
  readonly mode: "async" | "quorum";
}
