/** Databases: clusters of Postgres that tenfold runs itself, or servers elsewhere by URL; a router in front of either. */
import type { Address } from "./config.ts";

/** When a commit is acknowledged: on the primary's disk, or on that of a replica, too. */
export const DATABASE_MODES = ["async", "quorum"] as const;
/** One of `DATABASE_MODES`. */
export type DatabaseMode = (typeof DATABASE_MODES)[number];

/** How long a client keeps a server connection. */
export const POOL_MODES = ["session", "transaction", "statement"] as const;

/** The router's pool: server connections of one worker for one user of one database. */
export interface DatabasePoolConfig {
  /** Until the client goes, until its transaction ends (default), or until its statement ends. */
  readonly mode: (typeof POOL_MODES)[number];
  /** Server connections, default 20. */
  readonly size: number;
  /** Further ones for clients that have waited for 5 s, default 0. */
  readonly reserve: number;
  /** Clients that may wait for one, default 10,000. */
  readonly queueMax: number;
  /** Longest wait for one, default 120 s; as long a client's statement waits for a primary. */
  readonly queueTimeoutMs: number;
  /** Server connections of one database, and of one user, whatever its pools would have; default 0: no bound. */
  readonly databaseMax: number;
  readonly userMax: number;
  /** Clients of one database, and of one user; default 0: no bound of their own. */
  readonly databaseClientsMax: number;
  readonly userClientsMax: number;
  /** A free server connection of this age is closed, default 1 h; 0: each is used once. */
  readonly serverLifetimeMs: number;
  /** A free one that nobody has used for so long is closed, default 10 min; 0: never. */
  readonly serverIdleMs: number;
  /** A transaction that is open and idle for so long is ended, default 0: never. */
  readonly idleInTransactionMs: number;
  /** A query that has no answer after so long is cancelled and its client ended, default 0: never. */
  readonly queryTimeoutMs: number;
  /** A client at rest for so long is ended, default 0: never. */
  readonly clientIdleMs: number;
  /** A client that holds a server in the middle of a message for so long is ended, default 60 s; 0: never. */
  readonly messageTimeoutMs: number;
}

/** Who may be primary is decided by a lease. */
export interface DatabaseLeaseConfig {
  /** A primary that is silent for this long may be replaced, default 5 s. */
  readonly ttlMs: number;
  /** Where the lease is: "etcd://host:2379,host:2379"; absent = a folder, for servers of one machine. */
  readonly store?: string;
}

/** A database, and the router in front of it. What is for own servers means nothing when there is a URL. */
export interface DatabaseConfig {
  /** Also the name of the database, and of the user that owns it, where the servers are ours. */
  readonly name: string;
  /** The primary that runs elsewhere, postgres:// with user, password and database; absent = tenfold runs the servers. */
  readonly url?: string;
  /** Replicas of that one: the same user and database. */
  readonly replicaUrls: readonly string[];
  /** Own servers beside the primary, default 0. */
  readonly replicas: number;
  /** A witness beside them: the log without the data, for the quorum. Default false. */
  readonly witness: boolean;
  /** Where the router listens, default 127.0.0.1:6432. */
  readonly address: Address;
  /** Router processes, default 1. */
  readonly workers: number;
  readonly pool: DatabasePoolConfig;
  /** Who may use the router's console; default: nobody. */
  readonly adminUsers: readonly string[];
  /** How fresh reads on replicas are: "session" (default), "eventual", "bounded(500ms)", "global"; "primary" = none go there. */
  readonly consistency: string;
  /** Default "async". */
  readonly mode: DatabaseMode;
  /** Port of the first own server; the others have those that follow, the witness the ninth of these. Default 7433. */
  readonly serverPort: number;
  /** Data of own servers, absolute; absent = in the state directory. */
  readonly folder?: string;
  /** A Postgres by its folder, absolute; absent = npm's, then the system's. */
  readonly postgres?: string;
  /** Whom own servers run as when tenfold is root; absent = "postgres", else "nobody". */
  readonly user?: string;
  /** Where backups and the archive of the log go, absolute; absent = there are none. */
  readonly backups?: string;
  /** Postgres' own settings, by name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly lease: DatabaseLeaseConfig;
  /** Where no Postgres is installed all goes on without it, and tasks get no URL. Default false. */
  readonly optional: boolean;
  /** The folder of the config, where an app's packages are looked for. */
  readonly appFolder: string;
}

/** Settings of Postgres that hold a cluster together: nobody else may set them. */
export const RESERVED_SETTINGS: readonly string[] = [
  "listen_addresses",
  "port",
  "unix_socket_directories",
  "wal_level",
  "wal_log_hints",
  "hot_standby",
  "archive_mode",
  "archive_command",
  "primary_conninfo",
  "primary_slot_name",
  "synchronous_standby_names",
  "restore_command",
  "recovery_target_timeline",
  "restart_after_crash",
  "cluster_name",
  "data_directory",
  "hba_file",
];

/** Own replicas at most: a primary has 16 senders of its log, and clones and backups need some. */
export const REPLICAS_MAX = 8;

/** What the witness is called among the servers. */
export const WITNESS_NAME = "witness";

/** Its port: after those that servers can have, so that it stays when there are more of them. */
export function witnessPort({ serverPort }: Pick<DatabaseConfig, "serverPort">): number {
  return serverPort + REPLICAS_MAX + 1;
}

/** Names of an own database's servers, the first one first: "db1" and so on. */
export function serverNames({ url, replicas }: Pick<DatabaseConfig, "url" | "replicas">): readonly string[] {
  if (url !== undefined) return [];
  return Array.from({ length: replicas + 1 }, (_, index) => `db${index + 1}`);
}

/** Services that a database is run as: its router, the agent of each own server, and the witness. */
export function databaseServices(database: DatabaseConfig): readonly string[] {
  const { name, witness } = database;
  const members = [...serverNames(database), ...(witness ? [WITNESS_NAME] : [])];
  return [`router-${name}`, ...members.map((member) => `${name}-${member}`)];
}
