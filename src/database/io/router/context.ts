/** What all connections of one router worker share. */
import type { Log, Random, TimerWheel } from "../../../base/index.ts";
import type { Transport } from "../../../transport/index.ts";
import type { DatabaseTraffic } from "../../router/console/traffic.ts";
import type { Durations } from "../../router/durations.ts";
import type { Statements } from "../../router/prepared.ts";
import type { LookAt } from "../../router/statement-effects.ts";
import type { ArrivalClock } from "./arrival-clock.ts";
import type { BatchMemory } from "./batch.ts";
import type { ClientCounts } from "./client-counts.ts";
import type { Paused } from "./console/pausing.ts";
import type { Counters } from "./counters.ts";
import type { PoolGroup } from "./pool-group.ts";
import type { Tally } from "./tally.ts";

/** One per worker. */
export interface RouterContext {
  readonly transport: Transport;
  readonly wheel: TimerWheel;
  readonly clock: ArrivalClock;
  /** Monotonic ms as of the last tick (50 ms), for what is done at every query. */
  nowMs: number;
  readonly random: Random;
  readonly log: Log;
  readonly lookAt: LookAt;
  readonly statements: Statements;
  readonly counters: Counters;
  /** Errors that clients got from the router itself, by SQLSTATE. */
  readonly refusals: Tally;
  /** Pins by their reason. */
  readonly pins: Tally;
  /** Clients' waits for a server connection, those that were in vain included. */
  readonly waitTimes: Durations;
  /** From a query's first message to its ReadyForQuery. */
  readonly queryTimes: Durations;
  /** By database; grows with the pools. */
  readonly traffic: Map<string, DatabaseTraffic>;
  /** Pools by the server that they are of. */
  readonly groups: Map<string, PoolGroup>;
  readonly clientCounts: ClientCounts;
  /** Databases whose statements the console has wait. */
  readonly paused: Paused;
  readonly toServer: BatchMemory;
  readonly toClient: BatchMemory;
  /** Bytes fit for secrets. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Our own code threw. */
  readonly reportCrash: (error: unknown) => void;
}
