/**
 * What a member knows of its own server: the part of an agent's facts that decisions are made of.
 */
import type { Lsn } from "../../pgwire/index.ts";
import type { AppliedQuorum } from "./quorum.ts";
import type { PrimaryProcess, Replayed } from "./starts.ts";

/** A replica of this primary, as this primary sees it. */
export interface AttachedReplica {
  readonly name: string;
  /** What it has on its disk. */
  readonly flushed: Lsn;
}

/** One server at one moment; read after the last order was carried out. */
export interface ServerFacts {
  readonly running: boolean;
  /** A stopped server is what it would be when somebody started it. */
  readonly role: "primary" | "replica";
  readonly timeline: number;
  /** How far the log on its disk reaches, running or not. */
  readonly lsn: Lsn;
  /** Where its timeline began. */
  readonly fork: Lsn;
  /** Whom it is set to follow; undefined = nobody. */
  readonly upstream: string | undefined;
  readonly streaming: boolean;
  /** What it is set to follow cannot give it what it needs: its log is of another history, or too old. */
  readonly stuck: boolean;
  /** The furthest position that its upstream told it of. */
  readonly heard: Lsn;
  readonly quorum: AppliedQuorum;
  /** Of a primary: those that stream. */
  readonly replicas: readonly AttachedReplica[];
  /** Of a primary: its process. */
  readonly life?: PrimaryProcess;
  /** Of a server that this agent has promoted. */
  readonly replayed?: Replayed;
}
