/** How a router follows the lease of its cluster, and what it does while nobody holds it. Durations are milliseconds. */
import type { LeaseStore } from "../failover/lease-store.ts";
import type { FailoverSettings } from "../failover/settings.ts";

/** What waits while there is no confirmed primary. */
export interface HoldSettings {
  /** Longest wait. Default 10 s. */
  readonly ms: number;
  /** Clients of one worker that may wait; 0 = nobody waits. Default 1000. */
  readonly max: number;
  /** In a planned switchover, open transactions may go on for so long. Default 5 s. */
  readonly drainMs: number;
  /** Find out what became of statements that were under way, and send again what did not happen. Default true. */
  readonly resolve: boolean;
}

/** Ten seconds are a failover with its default times (5 s of lease, election, promotion) and some more. */
export const HOLD_DEFAULTS: HoldSettings = { ms: 10_000, max: 1_000, drainMs: 5_000, resolve: true };

/** Failover as a router sees it. With it, the record in the store says who is primary, whatever the view says. */
export interface RouterFailover {
  /** Where the record of the lease is. Servers are named there as in the view, which has their addresses. */
  readonly store: LeaseStore;
  /** The times of the lease: the same as those of the agents. */
  readonly times?: FailoverSettings;
  readonly hold?: Partial<HoldSettings>;
}
