/**
 * Settings of failover: times, and what an acknowledgement means.
 *
 * The one rule among the times: whoever holds the lease stops `marginMs` before anybody else may take it. The margin pays for
 * clocks that run at different speeds, and for the kill itself.
 */

/** What must have happened before a commit is acknowledged. */
export type Durability =
  /** The primary's own disk. A failover loses at most what the replica lacks; above `lagBytesMax` it does not happen. */
  | { readonly kind: "async"; readonly lagBytesMax: number }
  /**
   * The disks of `count` members beside the primary's. `strict`: with fewer members at hand commits wait; otherwise they go on
   * unprotected until members are back, and a failover in that time is one of async mode.
   */
  | {
      readonly kind: "quorum";
      readonly count: number;
      readonly strict: boolean;
      readonly lagBytesMax: number;
    };

/** All that failover is set by. Times in milliseconds. */
export interface FailoverSettings {
  /** A lease that was not renewed for this long may be taken. */
  readonly ttlMs: number;
  readonly renewMs: number;
  /** The holder fences itself this long before `ttlMs` is over, counted from before its last renewal was sent. */
  readonly marginMs: number;
  /** How often members and routers look at the record. */
  readonly pollMs: number;
  /** A candidate waits this long for answers, then asks again. */
  readonly voteMs: number;
  /** A candidate that is not the best waits this long for the better one. */
  readonly asideMs: number;
  /** A crashed primary may take this long to start before others take over. */
  readonly startMs: number;
  /** A planned switchover that has not got this far by then is taken back. */
  readonly handoverMs: number;
  /** An agent that finds its server running as a primary must have the lease confirmed within this time. */
  readonly adoptMs: number;
  /** A replica that was not streaming for this long does not count for the quorum any more. */
  readonly absentMs: number;
  readonly durability: Durability;
}

/** A replica that lacks more than one segment's share would cost minutes of work; Patroni's bound. */
export const LAG_BYTES_MAX: number = 1024 * 1024;

/** Detection within 5 s. Times of a cluster within one site. */
export const DEFAULT_FAILOVER: FailoverSettings = {
  ttlMs: 5_000,
  renewMs: 1_000,
  marginMs: 1_500,
  pollMs: 250,
  voteMs: 400,
  asideMs: 1_000,
  startMs: 10_000,
  handoverMs: 5_000,
  adoptMs: 1_500,
  absentMs: 2_000,
  durability: { kind: "async", lagBytesMax: LAG_BYTES_MAX },
};

/** For noisy hosts and slow stores: Patroni's times. */
export const PATIENT_FAILOVER: FailoverSettings = {
  ...DEFAULT_FAILOVER,
  ttlMs: 30_000,
  renewMs: 10_000,
  marginMs: 5_000,
  pollMs: 2_000,
};

/** Renewals that may fail in a row before a healthy holder fences itself; with fewer, one slow answer costs a failover. */
const RENEWALS_MIN = 2;

/** What is wrong with the settings; undefined = nothing. */
export function settingsProblem(settings: FailoverSettings): string | undefined {
  const { ttlMs, renewMs, marginMs, pollMs } = settings;
  const holdMs = ttlMs - marginMs;
  if (marginMs < ttlMs * 0.15)
    return `the margin of ${marginMs} ms is less than 15% of the lease's ${ttlMs} ms`;
  if (renewMs * RENEWALS_MIN > holdMs)
    return `a lease of ${ttlMs} ms that is given up ${marginMs} ms early leaves no room for two renewals of ${renewMs} ms`;
  if (pollMs * 2 > holdMs - renewMs)
    return `looking every ${pollMs} ms is too seldom for a lease of ${ttlMs} ms: routers would hold writes for no reason`;
  return undefined;
}
