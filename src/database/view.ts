/**
 * Who is who in a cluster, as the controller or the agents publish it and routers read it: JSON on disk, replaced whole,
 * numbered. How far replicas are behind, and whether a server answers, routers measure themselves.
 */

/** A server of a cluster. */
export interface ClusterServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly role: "primary" | "replica";
  readonly timeline: number;
  /** Whether statements may be sent to it; if not, `reason` says why. */
  readonly eligible: boolean;
  readonly reason?: string;
}

/** A cluster: one primary and its replicas. */
export interface ClusterView {
  /** Grows by one with each change. */
  readonly revision: number;
  readonly name: string;
  /** Of the primary: grows with each promotion. */
  readonly term: number;
  /** When it is not "steady", writes are held. */
  readonly state: "steady" | "failing-over" | "switching-over" | "no-primary";
  /** The primary's name. */
  readonly primary: string | undefined;
  readonly servers: readonly ClusterServer[];
  readonly mode: "async" | "quorum";
}
