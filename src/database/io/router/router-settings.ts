/** What a router worker is told, what it is made of, and what it says of its pools. */
import type { Clock, Log, Random, Scheduler } from "../../../base/index.ts";
import type { Address } from "../../../config/index.ts";
import type { ServerTlsSettings } from "../../../pgwire/index.ts";
import type { Transport } from "../../../transport/index.ts";
import type { PausedNames } from "../../router/console/facts.ts";
import type { RouterFailover } from "../../router/failover-settings.ts";
import type { PoolSettings } from "../../router/pool-settings.ts";
import type { LookAt } from "../../router/statement-effects.ts";
import type { AskConsole } from "./console/console-session.ts";
import type { ReadsSettings } from "./reads.ts";
import type { ClientTlsSettings } from "./tls/client-tls.ts";
import type { FetchVerifier, UserConfig } from "./users.ts";

/** What a worker is told. */
export interface RouterSettings {
  readonly address: Address;
  /** 0 to 511: part of the cancel keys, by which workers find each other's clients. */
  readonly workerId: number;
  readonly pool?: Partial<PoolSettings>;
  /** Reads go to replicas. Default: all goes to the primary. */
  readonly reads?: ReadsSettings;
  /** Follows the lease of its cluster. Default: the view alone says who is primary. */
  readonly failover?: RouterFailover;
  /** "trust" asks nobody for a password. Default "scram". */
  readonly authentication?: "scram" | "trust";
  readonly users?: Readonly<Record<string, UserConfig>>;
  /** Who reads users that `users` does not name from the primary's pg_authid. Without it there are no others. */
  readonly authUser?: AuthUser;
  /** Clients at once. Default 10,000. */
  readonly clientsMax?: number;
  /** Pools at once. Default 1000. */
  readonly poolsMax?: number;
  /** Longest wait for a client's log-in. Default 60 s. */
  readonly loginTimeoutMs?: number;
  /** Between two failed log-ins of one address that are answered, in the long run; 0: as many as come. Default 1 s. */
  readonly loginDelayMs?: number;
  /** TLS of clients. Default: they have none. A router that began without one can be given it by a restart alone. */
  readonly clientTls?: ClientTlsSettings;
  /** TLS of connections to servers. Default: none. */
  readonly serverTls?: ServerTlsSettings;
  /** To whom the databases `pgbouncer` and `tenfold` are the console. Default: nobody. */
  readonly adminUsers?: readonly string[];
  /** Databases whose statements wait. Default: none. */
  readonly paused?: PausedNames;
}

/** Somebody of the server who may read pg_authid. */
export interface AuthUser {
  readonly user: string;
  readonly password?: string;
  readonly database: string;
}

/** What a worker is made of. */
export interface RouterParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Bytes fit for secrets. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** Default: the router's own look by words. */
  readonly lookAt?: LookAt;
  /** Fetches verifiers of users that the config does not name. */
  readonly fetchVerifier?: FetchVerifier;
  /** Carries out commands of the console; without it there is none. */
  readonly askConsole?: AskConsole;
  /** Hands a cancel request to the worker that it is for. */
  readonly forwardCancel?: (workerId: number, processId: number, secret: Uint8Array) => void;
}

/** Where a pool stands. */
export interface PoolStatus {
  readonly database: string;
  readonly user: string;
  readonly servers: number;
  readonly freeServers: number;
  readonly waitingClients: number;
}
