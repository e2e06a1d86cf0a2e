/**
 * A replica and how far it is: who reads waits, for a bounded time, until it has replayed what the answer must hold.
 *
 * However many wait, one query is under way that asks for the position. A replica that cannot be reached is left alone for a while.
 */
import type { Clock, Random, Scheduler } from "../../base/index.ts";
import { parseLsn } from "../../pgwire/index.ts";
import { retryDelayMs } from "../backoff.ts";
import { PoolExhaustedError } from "../errors.ts";
import type { Lease, Server } from "./server.ts";

/** What a replica is made of. */
export interface ReplicaOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

interface Waiter {
  readonly floor: bigint;
  readonly untilMs: number;
  readonly done: (reached: boolean) => void;
}

/** A replica that was promoted has all it wrote itself. */
const POSITION_SQL = `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
  ELSE pg_current_wal_insert_lsn() END::text AS lsn`;

/** Time between two looks at the position: the first soon, for replay takes about a millisecond on a quiet network. */
const LOOK_MS = { first: 0.5, max: 8 } as const;

/** How long a replica that failed is left alone at most. */
const AWAY_MS_MAX = 15_000;

/** One replica. */
export class Replica {
  readonly #options: ReplicaOptions;
  readonly #waiters = new Set<Waiter>();
  #replayed = 0n;
  /** The server's connections when that was learned. A replica that was killed may come back with less than it had replayed. */
  #learnedAt = 0;
  #failures = 0;
  #awayUntilMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  /** Statements under way. */
  inFlight = 0;
  /** Statements begun. */
  served = 0;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  get server(): Server {
    return this.#options.server;
  }

  /** The position it is known to have replayed. */
  get replayed(): bigint {
    return this.#learnedAt === this.server.connections ? this.#replayed : 0n;
  }

  /** Whether it may be asked: it has not failed a short while ago. */
  isThere(): boolean {
    return this.#options.clock.nowMs() >= this.#awayUntilMs;
  }

  /** A connection, or why there is none. Full and silent is as good as gone; full and at work it is left to who has it. */
  async acquire(): Promise<Lease | "away" | "busy"> {
    const { answers } = this.server;
    try {
      return await this.server.acquire();
    } catch (error) {
      if (error instanceof PoolExhaustedError && this.server.answers > answers) return "busy";
      this.failed();
      return "away";
    }
  }

  /** It could not be reached, or ended a connection. */
  failed(): void {
    const { clock, random } = this.#options;
    for (const waiter of this.#waiters) this.#end(waiter, false);
    if (!this.isThere()) return; // many fail at one time: that is one failure
    this.#awayUntilMs = clock.nowMs() + retryDelayMs(this.#failures + 4, random, AWAY_MS_MAX);
    this.#failures += 1;
  }

  /** It answered. */
  answered(): void {
    this.#failures = 0;
  }

  /** Whether it has replayed up to `floor` within `waitMs`. To be asked with a connection in hand: what is known of it holds for that one. */
  async reaches(floor: bigint, waitMs: number): Promise<boolean> {
    if (this.replayed >= floor) return true;
    const { clock, scheduler } = this.#options;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        floor,
        untilMs: clock.nowMs() + waitMs,
        done: (reached) => {
          cancel();
          resolve(reached);
        },
      };
      const cancel = scheduler.after(waitMs, () => this.#end(waiter, false));
      this.#waiters.add(waiter);
      if (!this.#isLooking) void this.#look(LOOK_MS.first);
    });
  }

  #end(waiter: Waiter, reached: boolean): void {
    if (this.#waiters.delete(waiter)) waiter.done(reached);
  }

  async #look(nextMs: number): Promise<void> {
    this.#isLooking = true;
    const { connections } = this.server;
    try {
      const { rows } = await this.server.ask(POSITION_SQL);
      const [row] = rows as { lsn: string | null }[];
      const position = parseLsn(row?.lsn ?? "");
      // Where a connection was made meanwhile the answer may be from before a restart: it is asked again.
      if (position !== undefined && this.server.connections === connections) {
        this.#replayed = position;
        this.#learnedAt = connections;
      }
      this.answered();
    } catch {
      this.failed();
    }
    for (const waiter of this.#waiters) if (waiter.floor <= this.replayed) this.#end(waiter, true);
    this.#isLooking = false;
    if (this.#waiters.size === 0) return;
    this.#isLooking = true;
    this.#options.scheduler.after(nextMs, () => void this.#look(Math.min(LOOK_MS.max, nextMs * 2)));
  }
}
