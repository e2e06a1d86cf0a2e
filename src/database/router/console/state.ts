/** What a worker tells of itself to who shows it: JSON. Times are ms since 1970. */
import type { PoolMode } from "../pool-settings.ts";
import type { Traffic } from "./traffic.ts";

/** How much of it is wanted: of many clients a list is long. */
export type StateDetail = "pools" | "clients" | "servers";

/** Where a worker stands. */
export interface WorkerState {
  readonly worker: number;
  /** Resident memory of the process. */
  readonly memoryBytes: number;
  /** Traffic by database. */
  readonly traffic: readonly (readonly [database: string, traffic: Traffic])[];
  /** Those of the primary and of replicas; several may be of one user and database. */
  readonly pools: readonly PoolState[];
  /** Clients that have not logged in yet. */
  readonly clientsInLogin: number;
  /** Clients of the console. */
  readonly admins: readonly ClientState[];
  /** Empty unless they were asked for. */
  readonly clients: readonly ClientState[];
  readonly servers: readonly ServerState[];
}

export interface PoolState {
  readonly database: string;
  readonly user: string;
  readonly mode: PoolMode;
  readonly clientsActive: number;
  readonly clientsWaiting: number;
  /** Cancel requests on their way to the server. */
  readonly cancels: number;
  readonly serversActive: number;
  /** Not used again before a cancel request has arrived. */
  readonly serversBeingCancelled: number;
  readonly serversIdle: number;
  /** They are being cleaned, or asked whether they live. */
  readonly serversTested: number;
  readonly serversInLogin: number;
  /** How long the first in the queue has waited. */
  readonly longestWaitMs: number;
}

export interface ClientState {
  readonly user: string;
  readonly database: string;
  readonly state: "active" | "waiting" | "login";
  readonly address: string;
  readonly connectedMs: number;
  readonly requestMs: number;
  readonly waitMs: number;
  /** Number of its cancel key. */
  readonly id: number;
  /** The server connection that it holds, as `ServerState.id`. */
  readonly link: string | undefined;
  readonly applicationName: string;
  /** Statements with a name that it has. */
  readonly prepared: number;
}

export interface ServerState {
  readonly user: string;
  readonly database: string;
  readonly state: "active" | "being_canceled" | "idle" | "tested" | "login";
  readonly address: string;
  readonly port: number;
  readonly connectedMs: number;
  readonly requestMs: number;
  /** It is closed when it comes free. */
  readonly isOutdated: boolean;
  readonly id: string;
  /** The client that it serves, as `ClientState.id`. */
  readonly link: number | undefined;
  readonly processId: number;
  readonly applicationName: string;
  /** Clients' statements that it has. */
  readonly prepared: number;
  /** No other one of the router has it. */
  readonly number: number;
}
