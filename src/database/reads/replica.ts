/** One replica as a router sees it: may it be read, how far is it, how busy. */
import { ewma } from "../../base/index.ts";
import type { Lsn } from "../../pgwire/index.ts";
import type { ClusterServer } from "../view.ts";
import { type Identity, isOfSameLog } from "./identity.ts";
import type { Positions } from "./positions.ts";
import type { Unreadable } from "./reasons.ts";

/** From which lag on a replica is not read any more. */
export interface LagLimits {
  readonly ms: number;
  readonly bytes: number;
}

/** A second: what people bear in lists; 16 MB: one file of the log. */
export const LAG_LIMITS: LagLimits = { ms: 1000, bytes: 16 * 1024 * 1024 };

/** Share of the limit below which a replica that lagged is read again. */
const RETURN_SHARE = 0.5;

/** How long a replica is left alone after a connection to it has failed. */
const FAILED_MS = 1000;

/** A latency loses its weight in this time. */
const TAU_MS = 10_000;

export class Replica {
  readonly name: string;
  /** As the view has it. */
  server: ClusterServer;
  /** Its monitor's connection lives and answers. */
  isUp = false;
  /** The timeline that it follows, as it says; undefined: not asked yet. */
  timeline: number | undefined;
  /** Where it is, as of `answeredMs`. */
  replayed: Lsn = 0n;
  answeredMs: number = -Infinity;
  lagMs = 0;
  lagBytes = 0;
  isLagging = false;
  /** It has replayed what the primary never wrote, or is no replica at all. */
  isDiverged = false;
  /** It is on the primary's timeline by number alone: it has another log. */
  isForeign = false;
  #identity: Identity | undefined;
  /** Batches of this worker that it runs, or that wait for it. */
  inFlight = 0;
  /** Mean of its answers' times; 0: none yet. */
  latencyMs = 0;
  #sampledMs = 0;
  #failedMs = -Infinity;

  constructor(server: ClusterServer) {
    this.name = server.name;
    this.server = server;
  }

  /** Why it must not be read; undefined: it may. `timeline`: the primary's. */
  unreadable(timeline: number | undefined, nowMs: number): Unreadable | undefined {
    if (!this.server.eligible) return "ineligible";
    if (!this.isUp || nowMs - this.#failedMs < FAILED_MS) return "down";
    if (this.timeline === undefined || (timeline !== undefined && this.timeline !== timeline))
      return "stale-timeline";
    if (this.isDiverged || this.isForeign) return "diverged";
    return this.isLagging ? "lagging" : undefined;
  }

  /** It has told which log it has. */
  identified(identity: Identity): void {
    this.#identity = identity;
    this.timeline = identity.timeline;
  }

  /** Looks whether its log is the primary's; undefined: that has not told yet. */
  compareWith(primary: Identity | undefined): void {
    this.isForeign =
      primary !== undefined && this.#identity !== undefined && !isOfSameLog(primary, this.#identity);
  }

  /** It has told where it is. */
  answered(replayed: Lsn, nowMs: number): void {
    this.isUp = true;
    this.replayed = replayed;
    this.answeredMs = nowMs;
  }

  /** Measures its lag anew. It is not read from a limit on, and read again below half of both. */
  measure(positions: Positions, limits: LagLimits, nowMs: number): void {
    this.lagMs = positions.lagMs(this.replayed, nowMs);
    this.lagBytes = positions.lagBytes(this.replayed);
    const { latest } = positions;
    // What the primary said after it spoke is the end of all that there is.
    if (latest !== undefined && latest.atMs >= this.answeredMs) this.isDiverged = this.replayed > latest.lsn;
    const share = this.isLagging ? RETURN_SHARE : 1;
    this.isLagging = this.lagMs > limits.ms * share || this.lagBytes > limits.bytes * share;
  }

  /** A connection to it could not be made, or was lost. */
  failed(nowMs: number): void {
    this.#failedMs = nowMs;
  }

  /** A batch took so long. */
  took(ms: number, nowMs: number): void {
    this.latencyMs = this.latencyMs === 0 ? ms : ewma(this.latencyMs, ms, nowMs - this.#sampledMs, TAU_MS);
    this.#sampledMs = nowMs;
  }
}
