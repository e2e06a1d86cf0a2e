/**
 * The way to the primary: tries the addresses it may have, and waits while there is none.
 *
 * Only what was not sent waits here: a connection that cannot be made, or one that leads to a server in recovery.
 */
import type { Clock, Random, Scheduler } from "../../base/index.ts";
import { isConnectionLoss } from "../../postgres/index.ts";
import { pause, retryDelayMs } from "../backoff.ts";
import { NoPrimaryError } from "../errors.ts";
import type { Lease, Server } from "./server.ts";

/** What the way is made of. */
export interface PrimaryOptions {
  /** In the order in which they are tried first. */
  readonly servers: readonly Server[];
  readonly holdMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** The longest wait between two rounds of tries. */
const ROUND_MS_MAX = 500;

/** Finds the primary among the addresses it may have. */
export class Primary {
  readonly #options: PrimaryOptions;
  #at = 0;
  /** Rounds of tries that found none. */
  rounds = 0;

  constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  /** A connection to a server that is not in recovery. Rejects with `NoPrimaryError` after `holdMs`. */
  async acquire(): Promise<Lease> {
    const { clock, holdMs } = this.#options;
    const untilMs = clock.nowMs() + holdMs;
    for (let round = 0; ; round++) {
      const found = await this.#round();
      if ("client" in found) return found;
      this.rounds += 1;
      const restMs = untilMs - clock.nowMs();
      if (restMs <= 0) throw new NoPrimaryError(holdMs, found.failure);
      await this.#pause(round, restMs);
    }
  }

  /** A server refused a write since it is in recovery: its connections are not used again. */
  demoted(lease: Lease): void {
    lease.server.renew();
    this.#at += 1;
  }

  #pause(round: number, restMs: number): Promise<void> {
    const { random, scheduler } = this.#options;
    return pause(scheduler, Math.min(restMs, retryDelayMs(round, random, ROUND_MS_MAX)));
  }

  async #round(): Promise<Lease | { readonly failure: unknown }> {
    const { servers } = this.#options;
    let failure: unknown;
    for (let tries = 0; tries < servers.length; tries++) {
      const server = servers[this.#at % servers.length];
      if (server === undefined) break;
      try {
        const lease = await server.acquire();
        if (lease.inRecovery() !== true) return lease;
        lease.release(true);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        failure = error;
      }
      this.#at += 1;
    }
    return { failure: failure ?? new Error("every server is in recovery") };
  }
}
